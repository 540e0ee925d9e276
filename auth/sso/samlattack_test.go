package sso

import (
	"errors"
	"testing"

	"github.com/beevik/etree"
)

// wrapped are the eight known ways to wrap a signature: the signed element goes
// to a place where its signature is still found, and another one with the
// attacker's name takes its own place. The first two wrap the response, the
// others the assertion.
var wrapped = map[string]func(*etree.Document){
	"1: response within the signature of another": func(d *etree.Document) {
		genuine, evil := d.Root().Copy(), forge(d.Root().Copy())
		signature := evil.SelectElement("Signature")
		removeSignature(genuine)
		signature.AddChild(genuine)
		d.SetRoot(evil)
	},
	"2: response beside its signature": func(d *etree.Document) {
		genuine, evil := d.Root().Copy(), forge(d.Root().Copy())
		removeSignature(genuine)
		evil.InsertChildAt(evil.SelectElement("Signature").Index(), genuine)
		d.SetRoot(evil)
	},
	"3: assertion behind another": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(evil)
		d.Root().InsertChildAt(genuine.Index(), evil)
	},
	"4: assertion within another": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(evil)
		d.Root().RemoveChild(genuine)
		evil.AddChild(genuine)
		d.Root().AddChild(evil)
	},
	"5: signature moved to another assertion": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(genuine)
		d.Root().InsertChildAt(genuine.Index(), evil)
	},
	"6: assertion within the signature of another": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(genuine)
		d.Root().RemoveChild(genuine)
		evil.SelectElement("Signature").AddChild(genuine)
		d.Root().AddChild(evil)
	},
	"7: another assertion in an extension": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(evil)
		evil.CreateAttr("ID", "id-assertion")
		extensions := etree.NewElement("samlp:Extensions")
		extensions.AddChild(evil)
		d.Root().InsertChildAt(genuine.Index(), extensions)
	},
	"8: assertion in an object of the signature": func(d *etree.Document) {
		genuine := d.Root().SelectElement("Assertion")
		evil := forge(genuine.Copy())
		removeSignature(genuine)
		d.Root().RemoveChild(genuine)
		object := etree.NewElement("ds:Object")
		object.AddChild(genuine)
		evil.SelectElement("Signature").AddChild(object)
		d.Root().AddChild(evil)
	},
}

// forge puts the attacker's name and another id into an element.
func forge(element *etree.Element) *etree.Element {
	element.CreateAttr("ID", "id-forged")
	for _, value := range element.FindElements(".//AttributeValue") {
		value.SetText("mallory")
	}
	return element
}

func removeSignature(element *etree.Element) { element.RemoveChild(element.SelectElement("Signature")) }

// TestSAMLWrapping tries each way on responses that are signed in each way, with
// each demand and with the forged element under its own and the genuine id.
func TestSAMLWrapping(t *testing.T) {
	signed := map[string]func(*testResponse){
		"both signed":      func(*testResponse) {},
		"assertion signed": func(r *testResponse) { r.signResponse = false },
		"response signed":  func(r *testResponse) { r.signAssertion = false },
	}
	demands := map[string]func(*SAMLOptions){
		"both": nil, "assertion": assertionsOnly, "response": responsesOnly,
	}
	for way, wrap := range wrapped {
		for how, sign := range signed {
			for demand, options := range demands {
				for _, id := range []string{"id-forged", "same"} {
					response := newResponse()
					sign(response)
					document := response.document(t)
					if !canWrap(document, way) {
						continue // what this way wraps is not signed
					}
					t.Run(way+"/"+how+"/"+demand+" demanded/"+id, func(t *testing.T) {
						wrap(document)
						if id == "same" {
							for _, forged := range document.FindElements("//[@ID='id-forged']") {
								forged.CreateAttr("ID", map[string]string{"Response": "id-response", "Assertion": "id-assertion"}[forged.Tag])
							}
						}
						person, err := newTestSAML(t, options).Finish(t.Context(), testAttempt(), answerOf(t, document))
						// The forged assertion is in an extension, which is not
						// read. So the genuine assertion may be accepted.
						genuine := way[0] == '7' && how == "assertion signed" && demand == "assertion"
						switch {
						case genuine && (err != nil || person.Username != "ann"):
							t.Errorf("person %v, error %v", person, err)
						case !genuine:
							checkRefused(t, person, err, "")
						}
					})
				}
			}
		}
	}
}

// canWrap reports whether the element that a wrapping moves is signed.
func canWrap(document *etree.Document, way string) bool {
	if way[0] == '1' || way[0] == '2' {
		return document.Root().SelectElement("Signature") != nil
	}
	return document.Root().SelectElement("Assertion").SelectElement("Signature") != nil
}

// TestSAMLTwoDocuments checks that a second document before or after the
// response is not read instead of it.
func TestSAMLTwoDocuments(t *testing.T) {
	genuine, err := newResponse().document(t).WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	forged := newResponse().document(t)
	forge(forged.Root())
	evil, err := forged.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{genuine + evil, evil + genuine} {
		person, err := newTestSAML(t, nil).Finish(t.Context(), testAttempt(), answerOfText([]byte(text)))
		if err == nil && person.Username != "ann" {
			t.Errorf("%s was signed in", person.Username)
		}
	}
}

// TestSAMLComments checks that a comment does not split a value, whether it was
// signed or added later.
func TestSAMLComments(t *testing.T) {
	const name = "ann.evil@example.com"
	parted := "ann<!-- a comment -->.evil@example.com"
	tests := map[string]func() *etree.Document{
		"by the provider": func() *etree.Document {
			r := newResponse()
			r.Attributes = attribute("username", parted) + attribute("email", "ann@example.com") + attribute("firstName", "Ann") + attribute("lastName", "Lee")
			return r.document(t)
		},
		"later": func() *etree.Document {
			r := newResponse()
			r.Attributes = attribute("username", name) + attribute("email", "ann@example.com") + attribute("firstName", "Ann") + attribute("lastName", "Lee")
			document := r.document(t)
			value := document.FindElement("//AttributeValue")
			value.SetText("ann")
			value.AddChild(etree.NewComment("a comment"))
			value.AddChild(etree.NewText(".evil@example.com"))
			return document
		},
	}
	for when, document := range tests {
		for demand, options := range map[string]func(*SAMLOptions){"both": nil, "assertion": assertionsOnly, "response": responsesOnly} {
			t.Run(when+"/"+demand, func(t *testing.T) {
				person, err := newTestSAML(t, options).Finish(t.Context(), testAttempt(), answerOf(t, document()))
				if err != nil || person.Username != name {
					t.Errorf("person %+v, error %v", person, err)
				}
			})
		}
	}
}

// TestSAMLManyComments checks that many comments take little time. The library
// alone would take seconds for tens of thousands.
func TestSAMLManyComments(t *testing.T) {
	document := newResponse().document(t)
	want, err := document.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	for _, element := range append(document.FindElements("//*"), document.Root()) {
		for range 100 {
			element.InsertChildAt(0, etree.NewComment("a comment"))
			element.AddChild(etree.NewComment("another"))
		}
	}
	removeComments(document.Root())
	if got, err := document.WriteToString(); err != nil || got != want {
		t.Errorf("error %v, got %s", err, got)
	}
	for i, child := range document.Root().Child {
		if child.Index() != i {
			t.Errorf("child %d says that it is child %d", i, child.Index())
		}
	}
}

// TestSAMLAlgorithmDowngrade checks that signatures without an algorithm are
// refused, and HMACs whose secret is the public certificate.
func TestSAMLAlgorithmDowngrade(t *testing.T) {
	for _, algorithm := range []string{
		"http://www.w3.org/2000/09/xmldsig#hmac-sha1",
		"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1",
		"none", "",
	} {
		document := newResponse().document(t)
		forge(document.Root())
		document.Root().CreateAttr("ID", "id-response")
		for _, method := range document.FindElements("//SignatureMethod") {
			method.CreateAttr("Algorithm", algorithm)
		}
		person, err := newTestSAML(t, nil).Finish(t.Context(), testAttempt(), answerOf(t, document))
		checkRefused(t, person, err, "missing or wrong")
	}
}

// FuzzSAMLResponse checks that only a person in a genuine assertion is signed
// in, and that every refusal is a Failure. Minimizing an input takes longer
// than finding it, so run go test -fuzz FuzzSAML -fuzzminimizetime 1x.
func FuzzSAMLResponse(f *testing.F) {
	for _, change := range []func(*testResponse){
		func(*testResponse) {},
		func(r *testResponse) { r.signResponse = false },
		func(r *testResponse) { r.signAssertion = false },
		func(r *testResponse) { r.encryptFor = ourKey().Certificate },
	} {
		response := newResponse()
		change(response)
		for _, tamper := range wrapped {
			document := response.document(f)
			if assertion := document.Root().SelectElement("Assertion"); assertion != nil && assertion.SelectElement("Signature") != nil && response.signResponse {
				tamper(document)
			}
			text, err := document.WriteToBytes()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	var providers []*SAML
	for _, options := range []func(*SAMLOptions){nil, assertionsOnly, responsesOnly} {
		providers = append(providers, newTestSAML(f, options))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range providers {
			person, err := s.Finish(t.Context(), testAttempt(), answerOfText(text))
			switch {
			case err == nil && person.Username != "ann":
				t.Fatalf("%s was signed in", person.Username)
			case err != nil && !errors.As(err, new(*Failure)):
				t.Fatalf("%v (%T) is not a failure", err, err)
			}
		}
	})
}
