package orphans

// Code names a kind of finding. Codes are stable: scripts depend on them.
type Code string

// The codes: T tags, R revisions, M manifests, B blobs, I indexes, X database
// against storage, G waste, W Swift's large objects.
const (
	TagCurrentMissing   Code = "T1"
	TagLinkMalformed    Code = "T2"
	TagDangling         Code = "T3"
	TagIndexDangling    Code = "T4"
	TagDiffers          Code = "T5"
	RevisionLinkMissing Code = "R1"
	RevisionLinkBad     Code = "R2"
	LinkMismatch        Code = "R3"
	RevisionNotInDB     Code = "R4"
	ManifestMissing     Code = "M1"
	ManifestEmpty       Code = "M2"
	ManifestCorrupt     Code = "M3"
	ConfigMissing       Code = "B1"
	LayerMissing        Code = "B2"
	BlobSize            Code = "B3"
	BlobCorrupt         Code = "B4"
	LayerLinkMissing    Code = "B5"
	LayerLinkDangling   Code = "B6"
	LayerLinkBad        Code = "B7"
	ChildMissing        Code = "I1"
	SubjectMissing      Code = "I2"
	ArtifactNoStorage   Code = "X1"
	ArtifactSize        Code = "X2"
	ArtifactBlobMissing Code = "X3"
	AssociationMissing  Code = "X4"
	BlobStatus          Code = "X5"
	BlobRowNoObject     Code = "X6"
	ObjectNoBlobRow     Code = "X7"
	TrashResidue        Code = "X8"
	RepositoryMismatch  Code = "X9"
	ReferenceRowMissing Code = "X10"
	GarbageBlob         Code = "G1"
	GarbageManifest     Code = "G2"
	StaleUpload         Code = "G3"
	MultipartUpload     Code = "G4"
	SwiftOrphanSegments Code = "G5"
	TempFiles           Code = "G6"
	EmptyFolders        Code = "G7"
	Charts              Code = "G8"
	SwiftHollow         Code = "W1"
	UnknownObject       Code = "U1"
)

// Severity says how much a finding matters.
type Severity string

// The severities, worst first. Everything from Warning up makes a scan a scan
// with findings; Info never does.
const (
	Critical Severity = "critical" // bytes of an image are gone or wrong
	Error    Severity = "error"    // a pull, a delete or a garbage collection fails, or the next one destroys
	Warning  Severity = "warning"  // inconsistent, and nobody is hurt yet
	Info     Severity = "info"     // normal residue, or waste
)

// rank orders severities for sorting: 0 is the worst.
func (s Severity) rank() int {
	switch s {
	case Critical:
		return 0
	case Error:
		return 1
	case Warning:
		return 2
	}
	return 3
}

// class is what is known of a code before anything is found.
type class struct {
	name     string
	severity Severity
	// legacy is the severity where the registry owns the tags: plain
	// registries and Harbor before 2.0. Empty means the same.
	legacy Severity
	title  string // what it is, for people
}

// taxonomy holds every code.
var taxonomy = map[Code]class{
	TagCurrentMissing:   {"tag-current-missing", Info, Error, "a tag whose current link is missing"},
	TagLinkMalformed:    {"tag-link-malformed", Error, "", "a tag whose current link is empty or no digest"},
	TagDangling:         {"tag-dangling", Warning, Error, "a tag that points at a manifest its repository does not have (0B)"},
	TagIndexDangling:    {"tag-index-dangling", Info, "", "an old entry of a tag whose manifest is gone"},
	TagDiffers:          {"tag-differs", Info, Error, "a tag of the database that storage does not have, or has with another digest"},
	RevisionLinkMissing: {"revision-link-missing", Error, "", "an artifact whose revision link is missing"},
	RevisionLinkBad:     {"revision-link-malformed", Error, "", "a revision link that is empty or no digest"},
	LinkMismatch:        {"link-mismatch", Warning, "", "a link that holds another digest than its path"},
	RevisionNotInDB:     {"revision-not-in-database", Warning, "", "a manifest in storage that the database does not know"},
	ManifestMissing:     {"manifest-missing", Critical, "", "a manifest whose bytes are gone (0B)"},
	ManifestEmpty:       {"manifest-empty", Critical, "", "a manifest of 0 bytes"},
	ManifestCorrupt:     {"manifest-corrupt", Critical, "", "a manifest whose bytes are not those of its digest"},
	ConfigMissing:       {"config-missing", Critical, "", "an image config whose bytes are gone"},
	LayerMissing:        {"layer-missing", Critical, "", "a layer whose bytes are gone"},
	BlobSize:            {"blob-size", Critical, "", "a blob of 0 bytes or of the wrong size"},
	BlobCorrupt:         {"blob-corrupt", Critical, "", "a blob whose bytes are not those of its digest"},
	LayerLinkMissing:    {"layer-link-missing", Error, "", "a blob that is there but not linked in its repository"},
	LayerLinkDangling:   {"layer-link-dangling", Info, "", "a layer link whose blob is gone and that nothing needs"},
	LayerLinkBad:        {"layer-link-malformed", Error, "", "a layer link that is empty or no digest"},
	ChildMissing:        {"child-missing", Error, "", "an index whose manifest for a platform is missing"},
	SubjectMissing:      {"subject-missing", Info, "", "a signature or an attestation of something that is gone"},
	ArtifactNoStorage:   {"artifact-without-storage", Error, "", "an artifact of the database of which storage has nothing"},
	ArtifactSize:        {"artifact-size", Warning, "", "an artifact with no size or no type in the database (0B)"},
	ArtifactBlobMissing: {"artifact-blob-missing", Error, "", "an artifact whose blobs the database does not list: the next garbage collection deletes them"},
	AssociationMissing:  {"association-missing", Error, "", "a blob in use that is not associated with its project: the next garbage collection deletes it"},
	BlobStatus:          {"blob-status", Warning, "", "a blob in use that a garbage collection has marked"},
	BlobRowNoObject:     {"blob-row-without-object", Info, "", "an unused row of a blob that storage does not have"},
	ObjectNoBlobRow:     {"object-without-blob-row", Info, "", "a blob that the database does not know: no garbage collection of Harbor will see it"},
	TrashResidue:        {"trash-residue", Info, "", "a deleted artifact that waits for Harbor's garbage collection"},
	RepositoryMismatch:  {"repository-mismatch", Warning, "", "a repository that only storage or only the database has"},
	ReferenceRowMissing: {"reference-row-missing", Warning, "", "a row for a child or an accessory whose artifact is gone"},
	GarbageBlob:         {"garbage-blob", Info, "", "a blob that nothing refers to"},
	GarbageManifest:     {"garbage-manifest", Info, "", "a manifest without a tag"},
	StaleUpload:         {"stale-upload", Info, "", "an upload that nobody will finish"},
	MultipartUpload:     {"multipart-upload", Info, "", "an unfinished multipart upload in the bucket"},
	SwiftOrphanSegments: {"swift-orphan-segments", Info, "", "segments in Swift that no object names"},
	TempFiles:           {"temp-files", Info, "", "temporary files"},
	EmptyFolders:        {"empty-folders", Info, "", "empty folders that deletions have left"},
	Charts:              {"charts", Info, "", "charts of the ChartMuseum that Harbor had until 2.7"},
	SwiftHollow:         {"swift-large-object-hollow", Critical, "", "a large object in Swift whose segments are gone"},
	UnknownObject:       {"unknown-object", Info, "", "objects that no registry writes"},
}

// Name returns the code's name in words, such as "manifest-missing".
func (c Code) Name() string { return taxonomy[c].name }

// Title says what the code means.
func (c Code) Title() string { return taxonomy[c].title }

// severityOf is the severity of a code where the registry owns the tags, or
// the database does.
func severityOf(c Code, owner tagOwner) Severity {
	known := taxonomy[c]
	if owner == registryOwnsTags && known.legacy != "" {
		return known.legacy
	}
	return known.severity
}

// tagOwner says who decides what a tag means: the links in storage up to
// Harbor 1.10 and in plain registries, the database from Harbor 2.0 on.
type tagOwner int

const (
	registryOwnsTags tagOwner = iota
	databaseOwnsTags
)
