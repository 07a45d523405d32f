package manifests_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// TestPorts: the unit, the image, compose.yaml and the manifests have the port 8080, and 8081 for
// the metrics. The unit listens on the loopback interface, the others on all addresses.
func TestPorts(t *testing.T) {
	const api, metrics = "8080", "8081"
	ports, metricsPorts := make(map[string]string), make(map[string]string)

	ports["unit"] = submatch(t, "systemd/vepverify.service", `(?m)^Environment=PORT=(\d+)$`)
	ports["unit's settings"] = submatch(t, "systemd/vepverify.env", `(?m)^#VEPVERIFY_PORT=(\d+)$`)
	metricsPorts["unit's settings"] = submatch(t, "systemd/vepverify.env", `(?m)^#VEPVERIFY_METRICS_ADDRESS=127\.0\.0\.1:(\d+)$`)
	metricsPorts["Prometheus"] = submatch(t, "prometheus/prometheus.yml", `targets: \["127\.0\.0\.1:(\d+)"\]`)

	i := dockerfile(t)
	ports["image"] = i.env["PORT"]
	if !slices.Equal(i.ports, []string{api}) || i.env["IP_ADDRESS"] != "0.0.0.0" {
		t.Errorf("image: ports %q, address %q", i.ports, i.env["IP_ADDRESS"])
	}

	verifier := compose(t).Services["verifier"]
	ports["compose"], metricsPorts["compose"] = fmt.Sprint(verifier.Ports[0].Target), fmt.Sprint(verifier.Ports[1].Target)
	ports["compose, published"], metricsPorts["compose, published"] = verifier.Ports[0].Published, verifier.Ports[1].Published
	metricsPorts["compose, setting"] = (*verifier.Environment["VEPVERIFY_METRICS_ADDRESS"])[1:]

	m := build(t)
	ports["Kubernetes"], metricsPorts["Kubernetes"] = fmt.Sprint(m.container().Ports[0].ContainerPort), fmt.Sprint(m.container().Ports[1].ContainerPort)
	ports["Kubernetes, setting"], metricsPorts["Kubernetes, setting"] = m.settings.Data["PORT"], m.settings.Data["VEPVERIFY_METRICS_ADDRESS"][1:]

	for where, port := range ports {
		if port != api {
			t.Errorf("%s: port %q", where, port)
		}
	}
	for where, port := range metricsPorts {
		if port != metrics {
			t.Errorf("%s: port %q for the metrics", where, port)
		}
	}
}

// submatch returns what the group of a regular expression matches in a file of deploy/.
func submatch(t *testing.T, file, expression string) string {
	t.Helper()
	found := regexp.MustCompile(expression).FindStringSubmatch(read(t, file))
	if found == nil {
		t.Fatalf("%s has no %s", file, expression)
	}
	return found[1]
}
