package serve

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/servers"
)

// notifyReady tells the service manager that the service answers, and uses the files that it has
// read.
func notifyReady(logger *slog.Logger) { notify(logger, daemon.SdNotifyReady) }

// notifyReloading tells the service manager that the service reads its files again. The caller
// calls notifyReady after that.
func notifyReloading(logger *slog.Logger) {
	notify(logger, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
}

// endTime is how long the process may take to end after it has served the last request.
const endTime = 5 * time.Second

// notifyStopping tells the service manager that the service stops, and how long that can take with
// --shutdown-delay. The manager then waits so long, although its own limit may be shorter.
func notifyStopping(logger *slog.Logger, delay time.Duration) {
	longest := delay + servers.StopTimeout + endTime
	notify(logger, fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", daemon.SdNotifyStopping, longest.Microseconds()))
}

// NotifyFailure tells the service manager why the process ends: the line that it has printed. While
// systemd waits to start the service again, systemctl status shows that, and no line of the log.
func NotifyFailure(line string) {
	// The process ends with one line, which is more useful than an error about this.
	_, _ = daemon.SdNotify(false, "STATUS="+line)
}

// notify tells the service manager about the state of the service, as sd_notify(3) says. It does
// nothing if none has started the process with a socket for that, as systemd does with Type=notify.
// The socket stays in the environment, because the service starts no other process.
func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("the service manager cannot be notified", "error", err)
	}
}
