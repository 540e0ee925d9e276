package sso

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
)

// addBareKeys completes the keys in metadata that have no certificate: it wraps
// each RSA key in a certificate of its own, because the library knows only
// certificates. A certificate in metadata is believed for its place there and
// not for its issuer, so nothing is gained by it.
func addBareKeys(document []byte, entity *saml.EntityDescriptor) error {
	text := etree.NewDocument()
	if err := text.ReadFromBytes(document); err != nil {
		return err
	}
	var keys []*saml.KeyDescriptor
	for i := range entity.IDPSSODescriptors {
		descriptors := entity.IDPSSODescriptors[i].KeyDescriptors
		for k := range descriptors {
			keys = append(keys, &descriptors[k])
		}
	}
	elements := text.FindElements("//IDPSSODescriptor/KeyDescriptor")
	if len(elements) != len(keys) {
		return errors.New("the keys in the metadata cannot be read")
	}
	for i, element := range elements {
		data := &keys[i].KeyInfo.X509Data
		value := element.FindElement("./KeyInfo/KeyValue/RSAKeyValue")
		if len(data.X509Certificates) > 0 || value == nil {
			continue
		}
		der, err := wrapBareKey(value)
		if err != nil {
			return fmt.Errorf("a key in the metadata: %w", err)
		}
		data.X509Certificates = []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(der)}}
	}
	return nil
}

// wrapBareKey returns a certificate for the key in an RSAKeyValue. The
// certificate is signed with a key that is thrown away.
func wrapBareKey(value *etree.Element) ([]byte, error) {
	var numbers [2]big.Int
	for i, name := range []string{"Modulus", "Exponent"} {
		element := value.SelectElement(name)
		if element == nil {
			return nil, fmt.Errorf("it has no %s", name)
		}
		digits, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(element.Text()), ""))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		numbers[i].SetBytes(digits)
	}
	modulus, exponent := &numbers[0], &numbers[1]
	if modulus.Sign() == 0 || exponent.Sign() == 0 || exponent.BitLen() > 31 {
		return nil, errors.New("it is no RSA key")
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "key without certificate"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	return x509.CreateCertificate(rand.Reader, certificate, certificate, &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, signer)
}
