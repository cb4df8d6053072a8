package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
	"github.com/harbordb/harbordb/blobstore/swift"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/registry"
)

// swiftTree is what the registry's driver puts before the names of its objects.
const swiftTree = "files/docker/registry/v2"

// openRegistrySwiftURL opens container/folder?authurl=…; who we are comes from
// the variables of OpenStack's own tools, never from the URL.
func openRegistrySwiftURL(s *session, rest string) (blobstore.Reader, error) {
	path, query, _ := strings.Cut(rest, "?")
	container, folder, _ := strings.Cut(path, "/")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.Usagef("--storage: the parameters behind the ? cannot be read")
	}
	folder, err = url.PathUnescape(folder)
	if err != nil {
		return nil, fault.Usagef("--storage: a %% in the folder is not followed by two hex digits")
	}
	config := s.swiftEnvironment()
	config.Container, config.Prefix = container, folder
	for name, list := range values {
		if err := setSwift(&config, name, list[len(list)-1]); err != nil {
			return nil, err
		}
	}
	return openContainer(config)
}

// swiftParameters are the parameters of a swift:// URL.
var swiftParameters = map[string]func(*swift.Config) *string{
	"authurl":      func(c *swift.Config) *string { return &c.AuthURL },
	"region":       func(c *swift.Config) *string { return &c.Region },
	"user":         func(c *swift.Config) *string { return &c.User },
	"tenant":       func(c *swift.Config) *string { return &c.Tenant },
	"tenantid":     func(c *swift.Config) *string { return &c.TenantID },
	"domain":       func(c *swift.Config) *string { return &c.Domain },
	"endpointtype": func(c *swift.Config) *string { return &c.EndpointType },
}

func setSwift(c *swift.Config, name, value string) error {
	if name == "authversion" {
		version, err := strconv.Atoi(value)
		if err != nil {
			return fault.Usagef("--storage: authversion %q: it is 1, 2 or 3", value)
		}
		c.AuthVersion = version
		return nil
	}
	field, ok := swiftParameters[name]
	if !ok {
		return fault.Usagef("--storage: parameter %q is not known", name).
			WithHint("authurl, authversion, user, region, tenant, tenantid, domain, endpointtype; the key comes from OS_PASSWORD or ST_KEY")
	}
	*field(c) = value
	return nil
}

// swiftEnvironment is what OpenStack's variables say, or those of the old
// command swift.
func (s *session) swiftEnvironment() swift.Config {
	env := s.env
	return swift.Config{
		AuthURL: env.first("OS_AUTH_URL", "ST_AUTH"),
		User:    env.first("OS_USERNAME", "ST_USER"), UserID: env.get("OS_USER_ID"),
		Key:    remote.Secret(env.first("OS_PASSWORD", "ST_KEY")),
		Tenant: env.first("OS_PROJECT_NAME", "OS_TENANT_NAME"), TenantID: env.first("OS_PROJECT_ID", "OS_TENANT_ID"),
		Domain: env.get("OS_USER_DOMAIN_NAME"), DomainID: env.get("OS_USER_DOMAIN_ID"),
		TenantDomain: env.get("OS_PROJECT_DOMAIN_NAME"), TenantDomainID: env.get("OS_PROJECT_DOMAIN_ID"),
		TrustID: env.get("OS_TRUST_ID"), Region: env.get("OS_REGION_NAME"),
		ApplicationID: env.get("OS_APPLICATION_CREDENTIAL_ID"), ApplicationName: env.get("OS_APPLICATION_CREDENTIAL_NAME"),
		ApplicationSecret: remote.Secret(env.get("OS_APPLICATION_CREDENTIAL_SECRET")),
		Settings:          remote.Settings{CAFiles: nonEmpty(s.global.caFile), Proxy: http.ProxyFromEnvironment},
	}
}

// openRegistrySwift opens a container by the options of the registry's swift
// driver. Its rootdirectory is documented and not obeyed: "prefix" is.
func openRegistrySwift(s *session, c registry.StorageConfig, ca []string) (blobstore.Reader, error) {
	p := c.Parameters
	config := swift.Config{
		Container: p["container"], Prefix: p["prefix"], AuthURL: p["authurl"],
		User: p["username"], Key: remote.Secret(p["password"]),
		Tenant: p["tenant"], TenantID: p["tenantid"], Domain: p["domain"], DomainID: p["domainid"],
		TenantDomain: p["tenantdomain"], TenantDomainID: p["tenantdomainid"],
		TrustID: p["trustid"], Region: p["region"], EndpointType: p["endpointtype"],
		Settings: remote.Settings{CAFiles: append(nonEmpty(s.global.caFile), ca...), Proxy: http.ProxyFromEnvironment},
	}
	var err error
	if config.SkipVerify, err = c.Switch("insecureskipverify", false); err != nil {
		return nil, err
	}
	if text := p["authversion"]; text != "" {
		if config.AuthVersion, err = strconv.Atoi(text); err != nil {
			return nil, fault.Usagef("storage.swift.authversion %q: it is 1, 2 or 3", text)
		}
	}
	return openContainer(config)
}

func openContainer(c swift.Config) (blobstore.Reader, error) {
	// The segments of large objects lie beside the tree.
	folder := strings.Trim(registry.TrimRoot(strings.Trim(c.Prefix, "/")), "/")
	c.Prefix = strings.TrimSuffix(folder, swiftTree)
	reader, err := swift.Open(c)
	if err != nil {
		return nil, err
	}
	return reader, nil
}
