package keys

// leftPad appends signature at full length to room: makers dropped leading zero
// bytes (PROTOCOL §2). A longer one is left as it is, and no algorithm takes it.
func leftPad(room, signature []byte, size int) []byte {
	if len(signature) >= size {
		return signature
	}
	room = append(room, make([]byte, size-len(signature))...)
	return append(room, signature...)
}
