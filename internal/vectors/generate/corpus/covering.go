package corpus

// covering names the Go tests that hold what vectors cannot say: what happens on
// a network, in a cache, in the one-use guard.
var covering = map[string][]string{
	"1.header-forbidden": {"certchain.TestParseToken"},
	"3.request":          {"wellknown.TestQuestion", "wellknown.TestRedirect"},
	"3.json":             {"wellknown.TestParseDocument", "internal/strictjson.TestParseObjectRefuses"},
	"4.row3-network":     {"wellknown.TestConnections", "wellknown.TestDNS"},
	"4.row4":             {"wellknown.TestStatus", "wellknown.TestSlow"},
	"4.row4-network":     {"wellknown.TestConnections", "wellknown.TestDNS", "wellknown.TestTLS", "wellknown.TestAnswers"},
	"4.row4-opt-out":     {"assertion.TestRows"},
	"4.row5-limit":       {"wellknown.TestLimit", "wellknown.TestEndless"},
	"4.row5-policy":      {"wellknown.TestPrivateByName", "wellknown.TestPrivateByDNS", "wellknown.TestPrivateByAuthority", "wellknown.TestPorts"},
	"4.stale":            {"wellknown.TestStale", "wellknown.TestOutage", "wellknown.TestStaleIncomplete"},
	"4.domain-dev":       {"wellknown.TestPrivateByName", "wellknown.TestPorts"},
	"7.offline-first":    {"assertion.TestOfflineFirst", "internal/vectors.TestOfflineCasesNeedNoHost"},
	"4.one-reason":       {"assertion.TestOneReason", "assertion.TestOneReasonKeepsRow5"},
	"6.look-up-reasons":  {"assertion.TestUnavailableReason", "assertion.TestOneReason"},
	"7.one-use-key":      {"assertion.TestOneUse"},
	"7.one-use-last":     {"assertion.TestOneUse", "assertion.TestMemoryOneUse", "assertion.TestMemoryOneUseIsAtomic"},
	"7.one-use-life":     {"assertion.TestMaxLife", "assertion.TestMaxLifeIsOffline"},
	"7.one-use-full":     {"assertion.TestOneUseUnavailable", "assertion.TestMemoryOneUse"},
	"8.address":          {"wellknown.TestPrivateByName", "wellknown.TestPrivateByDNS", "wellknown.TestPrivateByAuthority", "wellknown.TestRebinding", "wellknown.TestPorts"},
	"8.tls":              {"wellknown.TestTLS", "wellknown.TestCAFile"},
	"8.redirects":        {"wellknown.TestRedirect"},
	"8.deadline":         {"wellknown.TestSlow", "wellknown.TestTimeout"},
	"8.body":             {"wellknown.TestLimit", "wellknown.TestEndless", "wellknown.TestAnswers"},
	"8.coding":           {"wellknown.TestAnswers", "wellknown.TestEndless"},
	"8.headers":          {"wellknown.TestEndless", "wellknown.TestQuestion"},
	"8.proxy":            {"wellknown.TestProxy", "wellknown.TestProxyFromEnvironment"},
	"8.silence":          {"wellknown.TestNothingRemoteInErrors", "assertion.TestErrorsKeepSecrets"},
}
