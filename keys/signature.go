package keys

// leftPad gives signature at full length: makers dropped leading zero bytes
// (PROTOCOL §2). A longer one is left as it is, and no algorithm takes it.
func leftPad(signature []byte, size int) []byte {
	if len(signature) >= size {
		return signature
	}
	padded := make([]byte, size)
	copy(padded[size-len(signature):], signature)
	return padded
}
