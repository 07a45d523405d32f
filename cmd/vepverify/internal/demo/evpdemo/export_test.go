package evpdemo

var Forge = forge

// Why returns why a browser sent no token that has sent requests to the paths, with the
// statuses.
func Why(email string, statuses map[string]int) string {
	var sent []request
	for path, status := range statuses {
		sent = append(sent, request{Meaning: meanings[path], Status: status})
	}
	return why(email, sent)
}

// The paths of the protocol.
const (
	DNSPath, MetadataPath, AccountsPath, IssuancePath = dnsPath, metadataPath, accountsPath, issuancePath
)
