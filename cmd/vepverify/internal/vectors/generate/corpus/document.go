package corpus

import (
	"fmt"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// malformedDocument is a vector in which the issuer's document should not
// count, so that the fallback speaks for the domain.
func malformedDocument(name, rules, comment string, doc any) vector {
	return okay(name, rules+" 4.row3-answers", comment, byFallback, document(idp, doc))
}

// refusedDocument is the same document, whose key did sign, and no fallback.
func refusedDocument(name, rules, comment string, doc any) vector {
	return failure(name, rules, comment, free, document(idp, doc))
}

func documents() []vector {
	table := append(documentForms(), documentMembers()...)
	return append(table, pages()...)
}

func documentForms() []vector {
	typed := func(contentType string) edit {
		return response(idp, vectors.Response{Status: 200, ContentType: contentType, Body: goodText()})
	}
	accepted := func(name, contentType string) vector {
		return okay("type-"+name, "3.content-type", "Content-Type: "+contentType, typed(contentType))
	}
	refused := func(name, contentType string) vector {
		return okay("type-"+name, "3.content-type 4.row3-answers", "A good document, but Content-Type: "+contentType, byFallback, typed(contentType))
	}
	malformed := func(name, comment, text string) vector {
		return okay("json-"+name, "3.json 4.row3-answers", comment, byFallback, body(idp, text))
	}
	return []vector{
		okay("status-200", "3.status", "A document with status 200.", body(idp, goodText())),
		failure("status-201", "3.status", "A document with status 201.", free,
			response(idp, vectors.Response{Status: 201, ContentType: "application/json", Body: goodText()})),
		failure("status-404", "3.status", "A document with status 404.", free,
			response(idp, vectors.Response{Status: 404, ContentType: "application/json", Body: goodText()})),
		undecided("status-500", "3.status 4.row4", "A document with status 500.",
			response(idp, vectors.Response{Status: 500, ContentType: "application/json", Body: goodText()})),

		accepted("charset", "application/json; charset=utf-8"),
		accepted("charset-no-space", "application/json;charset=UTF-8"),
		accepted("capitals", "Application/JSON"),
		refused("html", "text/html"),
		refused("text", "text/plain; charset=utf-8"),
		refused("longer", "application/jsonx"),
		refused("suffix", "application/ld+json"),
		refused("other-json", "text/json"),
		refused("parameter-only", "text/html; type=application/json"),
		okay("type-absent", "3.content-type 4.row3-answers", "A good document without Content-Type.", byFallback,
			response(idp, vectors.Response{Status: 200, Body: goodText()})),
		failure("type-html-no-fallback", "3.content-type 4.row3-none", "A good document as text/html, and no fallback.", free, typed("text/html")),

		okay("json-white-space", "3.json", "White space around the document.", body(idp, "\n "+goodText()+" \r\n\t")),
		okay("json-escaped-names", "3.json", "Names in escapes.", body(idp, strings.Replace(goodText(), `"public-key"`, `"public\u002dkey"`, 1))),
		malformed("byte-order-mark", "A byte order mark.", "\uFEFF"+goodText()),
		malformed("text-behind", "Text behind the object.", goodText()+"x"),
		malformed("second-object", "A second object.", goodText()+"{}"),
		malformed("array", "An array around it.", "["+goodText()+"]"),
		malformed("empty", "An empty body.", ""),
		malformed("null", "null.", "null"),
		malformed("cut", "The closing brace is missing.", strings.TrimSuffix(goodText(), "}")),
		malformed("html", "A page that calls itself JSON.", "<!DOCTYPE html><title>Welcome</title>"),
		malformed("name-twice", "public-key twice.", member(`"public-key":null`)(goodText())),
		malformed("escaped-name-twice", "authority twice, once with an escaped letter.", member(`"authority":"a.example","\u0061uthority":"b.example"`)(goodText())),
		malformed("nested-name-twice", "A name twice in a member that nobody asks for.", member(`"x":[{"y":1,"y":1}]`)(goodText())),
		malformed("too-deep", "1001 levels.", member(`"x":`+nested(1000))(goodText())),
		malformed("half-pair", "Half a surrogate pair.", member(`"x":"\udc00"`)(goodText())),
		okay("json-deepest", "3.json", "1000 levels.", body(idp, member(`"x":`+nested(999))(goodText()))),
		okay("members-most", "3.members", "1000 members.", body(idp, member(manyMembers(1000-strings.Count(goodText(), ":")))(goodText()))),
		failure("members-too-many", "3.members 4.row5-limit", "1001 members, with a fallback that would speak.", free, byFallback,
			body(idp, member(manyMembers(1001-strings.Count(goodText(), ":")))(goodText()))),
		okay("json-other-members", "3.json", "Members that the protocol does not have.",
			document(idp, good().With("Disabled", true).With("AUTHORITY", "evil.example").With("x", []int{1}))),
	}
}

func documentMembers() []vector {
	return []vector{
		okay("disabled-false", "3.disabled", "disabled is false, and the rest counts.", document(idp, good().With("disabled", false))),
		okay("disabled", "3.disabled 4.row3-answers", "The domain opts out: the fallback speaks.", byFallback, document(idp, idptest.Object{"disabled": true})),
		failure("disabled-no-fallback", "3.disabled 4.row3-none", "The domain opts out, and there is no fallback.", free,
			document(idp, good().With("disabled", true))),
		malformedDocument("disabled-text", "3.disabled-type", "disabled is the text \"false\".", good().With("disabled", "false")),
		malformedDocument("disabled-null", "3.disabled-type", "disabled is null.", good().With("disabled", nil)),
		malformedDocument("disabled-number", "3.disabled-type", "disabled is 0.", good().With("disabled", 0)),
		refusedDocument("disabled-text-no-fallback", "3.disabled-type", "disabled is the text \"false\", and there is no fallback.", good().With("disabled", "false")),
		malformedDocument("disabled-object-and-authority", "3.disabled-type 3.order", "disabled is an object, beside a good delegation.",
			idptest.Object{"disabled": idptest.Object{}, "authority": other}),

		okay("order-disabled-authority", "3.order", "disabled comes before authority: the fallback speaks, not the delegate.", byFallback,
			document(idp, good().With("disabled", true).With("authority", other)), document(other, provider(other, key("RS256")).Document())),
		okay("order-disabled-malformed", "3.order", "disabled decides, whatever the rest says.", byFallback,
			document(idp, idptest.Object{"disabled": true, "authority": 5, "keys": "x"})),
		okay("order-authority-keys", "3.order 3.authority", "authority comes before keys.", issuedBy(other),
			document(idp, good().With("authority", other))),
		okay("order-authority-malformed-keys", "3.order", "authority decides, whatever the keys are.", issuedBy(other),
			document(idp, idptest.Object{"authority": other, "public-key": 1, "keys": "x", "authentication": 5})),
		okay("order-disabled-false-authority", "3.order", "disabled that is false leaves authority to decide.", issuedBy(other),
			document(idp, idptest.Object{"authority": other, "disabled": false})),

		malformedDocument("empty", "3.keys", "A document without members.", idptest.Object{}),
		malformedDocument("pages-only", "3.keys", "A document without any key member.", good().Without("public-key")),
		refusedDocument("pages-only-no-fallback", "3.keys", "The same, and no fallback.", good().Without("public-key")),
		malformedDocument("key-under-pubkey", "3.keys", "A key under pubkey, which is for certificates.",
			good().Without("public-key").With("pubkey", user("RS256"))),
	}
}

func pages() []vector {
	malformed := func(name, member, comment string, value any) vector {
		return malformedDocument("page-"+name, "3.pages", comment, good().With(member, value))
	}
	return []vector{
		malformed("relative", "authentication", "A path that does not begin with a slash.", "sign_in"),
		malformed("url", "provisioning", "A URL in place of a path.", "https://idp.example/provision"),
		malformed("query", "authentication", "A path with a query.", "/sign_in?x=1"),
		malformed("empty-query", "provisioning", "A path with an empty query.", "/provision?"),
		malformed("fragment", "provisioning", "A path with a fragment.", "/provision#x"),
		malformed("empty", "authentication", "An empty path.", ""),
		malformed("null", "authentication", "authentication is null.", nil),
		malformed("number", "provisioning", "provisioning is a number.", 1),
		malformedDocument("page-authentication-missing", "3.pages", "Without authentication.", good().Without("authentication")),
		malformedDocument("page-provisioning-missing", "3.pages", "Without provisioning.", good().Without("provisioning")),
		refusedDocument("page-missing-no-fallback", "3.pages", "Without both, and no fallback.", good().Without("authentication", "provisioning")),
		okay("page-root", "3.pages", "The shortest path there is.", document(idp, good().With("authentication", "/").With("provisioning", "/"))),
		okay("page-odd-characters", "3.pages", "Paths with other characters.", document(idp, good().With("authentication", "/a b/é/%00//..;x:@&="))),

		okay("page-fallback-lacks-both", "3.pages-fallback", "The fallback's document lacks both.", byFallback, fallbackDocument(func(o idptest.Object) idptest.Object {
			return o.Without("authentication", "provisioning")
		})),
		okay("page-fallback-lacks-one", "3.pages-fallback", "The fallback's document lacks one.", byFallback, fallbackDocument(func(o idptest.Object) idptest.Object {
			return o.Without("provisioning")
		})),
		okay("page-delegation-to-fallback", "3.pages-fallback 4.row2", "A domain delegates to the fallback, whose document lacks both.", byFallback,
			document(idp, idptest.Object{"authority": fallback}), fallbackDocument(func(o idptest.Object) idptest.Object {
				return o.Without("authentication", "provisioning")
			})),
		failure("page-fallback-malformed", "3.pages-fallback", "What the fallback's document has must be right.", free, byFallback,
			fallbackDocument(func(o idptest.Object) idptest.Object { return o.With("authentication", "sign_in") })),
		failure("page-trusted-lacks", "3.pages-fallback 4.row1", "A trusted issuer that is no fallback may not lack them.", free,
			issuedBy(other), trusting(other), document(other, provider(other, key("RS256-2")).Document().Without("authentication"))),
		failure("page-delegate-lacks", "3.pages 4.row5-delegation", "Nor may a delegate, and a delegation that ends nowhere is not for the fallback.", free,
			byFallback, document(idp, idptest.Object{"authority": other}), document(other, provider(other).Document().Without("provisioning"))),
	}
}

// fallbackDocument changes the document of the fallback.
func fallbackDocument(change func(idptest.Object) idptest.Object) edit {
	return document(fallback, change(provider(fallback, key("RS256-2")).Document()))
}

// manyMembers returns the text of n members.
func manyMembers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	return strings.Join(list, ",")
}
