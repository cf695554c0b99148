import CarnetAgent
import CarnetService
import ServiceLifecycle
import UnixSignals

/// SIGHUP: whoever runs the machine wants a new passport now.
struct AgentHangupSignal: Service {
    let daemon: AgentDaemon
    let supervisor: Supervisor?

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            await daemon.attestNow()
        }
        // It is the first that is stopped.
        supervisor?.tell(.stopping)
    }
}
