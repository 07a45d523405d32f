package loglimit

// AllowName is allowName.
func (l *Limiter) AllowName(key, name string, max int) (skipped int64, ok bool) {
	return l.allowName(key, name, max)
}
