import CarnetService
import CarnetVerifier
import ServiceLifecycle
import UnixSignals

/// SIGHUP: the TLS certificate may have been renewed. Without TLS it does nothing, and never ends the program.
struct HangupSignal: Service {
    let verifier: Verifier
    let supervisor: Supervisor?

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            verifier.lookAtCertificate()
        }
        // It is the first that is stopped.
        supervisor?.tell(.stopping)
    }
}
