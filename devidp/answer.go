package devidp

import (
	"encoding/json"
	"net/http"
)

// refusal is an answer that says no. It never repeats what was asked.
type refusal struct {
	Status  int    `json:"-"`
	Problem string `json:"error"`
	// Field is the member of a certification that is at fault, so that the
	// dialog can say it there.
	Field string `json:"field,omitempty"`
}

func badRequest(field, problem string) *refusal {
	return &refusal{Status: http.StatusBadRequest, Field: field, Problem: problem}
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	writeJSON(w, r.Status, r)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil { // strings always marshal
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer could not be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone needs no answer.
	_, _ = w.Write(append(body, '\n'))
}
