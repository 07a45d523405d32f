package verifyapi

import (
	"encoding/json"
	"net/http"
)

// Component is a part of the service that can fail by itself, and its state, for GET /readyz.
type Component struct {
	// Name is a word such as replay_store. The names of components differ.
	Name string

	// Err is the reason that the component does not work. Its text is in the response, so it
	// must have no secret. Nil means that the component works.
	Err error

	// Required means that the service is not ready while Err is not nil. A component that all
	// instances share should not be required: all would be taken out of a balancer at once.
	Required bool
}

// health is the body of /healthz and /readyz.
type health struct {
	Status     string            `json:"status"`
	Components map[string]string `json:"components,omitempty"` // "ok", or the reason that one does not work
}

// The statuses of health.
const (
	healthOK       = "ok"
	healthDegraded = "degraded" // ready, although a component does not work
	healthNotReady = "not ready"
)

// alive is the response of /healthz: the process serves.
var alive = health{Status: healthOK}.response()

// ready returns the response of /readyz.
func (h *Handler) ready() response {
	if h.config.Components == nil {
		return alive
	}
	return healthOf(h.config.Components()).response()
}

// healthOf summarizes components.
func healthOf(components []Component) health {
	all := health{healthOK, make(map[string]string)}
	for _, c := range components {
		switch {
		case c.Err == nil:
			all.Components[c.Name] = healthOK
			continue
		case c.Required:
			all.Status = healthNotReady
		case all.Status == healthOK:
			all.Status = healthDegraded
		}
		all.Components[c.Name] = c.Err.Error()
	}
	return all
}

// response returns the response with the status of h.
func (h health) response() response {
	status := http.StatusOK
	if h.Status == healthNotReady {
		status = http.StatusServiceUnavailable
	}
	body, _ := json.Marshal(h) // strings have no error
	return response{status: status, body: body, own: true}
}
