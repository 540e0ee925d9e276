package config

import (
	"errors"
	"fmt"
)

// Two errors in this file begin with a capital letter because administrators
// find these sentences in the user guide.
//
//lint:file-ignore ST1005 see above
var errSeveralSSO = errors.New("Cannot start Trento with multiple SSO options enabled. Use one among: OIDC, OAUTH2 and SAML.")

// checkSSO checks that at most one kind of single sign-on is enabled, and that
// all its required variables are set.
func (l *loader) checkSSO() {
	var enabled []string
	var required []string
	if l.config.EnableOIDC {
		enabled = append(enabled, "ENABLE_OIDC")
		required = []string{"OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_BASE_URL"}
	}
	if l.config.EnableOAuth2 {
		enabled = append(enabled, "ENABLE_OAUTH2")
		required = []string{"OAUTH2_CLIENT_ID", "OAUTH2_CLIENT_SECRET", "OAUTH2_BASE_URL", "OAUTH2_AUTHORIZE_URL", "OAUTH2_TOKEN_URL", "OAUTH2_USER_URL"}
	}
	if l.config.EnableSAML {
		enabled = append(enabled, "ENABLE_SAML")
		required = []string{"SAML_IDP_ID", "SAML_SP_ID"}
	}
	switch len(enabled) {
	case 0:
		return
	case 1:
	default:
		l.errs = append(l.errs, errSeveralSSO)
		return
	}

	for _, name := range append([]string{"TRENTO_WEB_ORIGIN"}, required...) {
		if l.values[name] == "" {
			l.errs = append(l.errs, fmt.Errorf("environment variable %s is missing", name))
		}
	}
	if l.config.EnableSAML && l.config.SAMLMetadataURL == "" && l.config.SAMLMetadataContent == "" {
		l.errs = append(l.errs, errors.New("One of SAML_METADATA_URL or SAML_METADATA_CONTENT must be provided"))
	}
}
