package s3

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// BenchmarkParsePage reads a page of a registry's keys as Amazon writes it.
func BenchmarkParsePage(b *testing.B) {
	var page strings.Builder
	page.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>harbor</Name><Prefix></Prefix><KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>`)
	for i := range 1000 {
		fmt.Fprintf(&page, `<Contents><Key>docker/registry/v2/repositories/library/app/_layers/sha256/%064x/link</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>&quot;%032x&quot;</ETag><Size>71</Size><StorageClass>STANDARD</StorageClass></Contents>`, i, i)
	}
	page.WriteString(`</ListBucketResult>`)
	body := []byte(page.String())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p, err := parsePage(body); err != nil || len(p.objects) != 1000 {
			b.Fatal(len(p.objects), err)
		}
	}
}

// FuzzScanPage: what the scanner reads, encoding/xml reads in the same way.
func FuzzScanPage(f *testing.F) {
	const object = `<Contents><Key>a/b</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>1</Size><Owner><ID>o</ID></Owner></Contents>`
	for _, seed := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><IsTruncated>false</IsTruncated>` + object + object + `</ListBucketResult>`,
		`<ListBucketResult><NextMarker>a&amp;b</NextMarker><EncodingType>url</EncodingType></ListBucketResult>` + "\n",
		`<ListBucketResult><Contents/><Contents><Key/></Contents></ListBucketResult>`,
		`<ListBucketResult><Contents><Key>a</Key><Key>b</Key></Contents></ListBucketResult>`,
		`<ListBucketResult><x:Contents><Key>a<!-- b --></Key></x:Contents></ListBucketResult>`,
		`<ListBucketResult><IsTruncated>true&#34;&unknown;</IsTruncated></ListBucketResult>`,
		`<ListBucketResult><CommonPrefixes><Prefix>a</Prefix></CommonPrefixes><Key>stray</Key>text</ListBucketResult>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := scanPage(text)
		if !ok {
			return
		}
		var want rawPage
		if err := xml.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("encoding/xml does not read it: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("scanned %+v\nwant    %+v", got, want)
		}
	})
}

func TestTheUsualPageIsScanned(t *testing.T) {
	for name, text := range map[string]string{
		"Amazon":    `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><Contents><Key>a</Key><ETag>&quot;x&quot;</ETag><Size>1</Size><Owner><ID>o</ID><DisplayName>d</DisplayName></Owner></Contents></ListBucketResult>`,
		"a gateway": `<ListBucketResult><Marker/><IsTruncated>false</IsTruncated><Contents><Key>a</Key><ETag>"x"</ETag><Size>1</Size></Contents></ListBucketResult>`,
	} {
		p, ok := scanPage(text)
		if want := []rawObject{{Key: "a", ETag: `"x"`, Size: "1"}}; !ok || !reflect.DeepEqual(p.Contents, want) {
			t.Errorf("%s: %v, %+v", name, ok, p)
		}
	}
}
