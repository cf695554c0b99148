package import CarnetService
import ServiceLifecycle
import UnixSignals

/// SIGHUP: the TLS certificate may have been renewed. Without TLS it does nothing, and never ends the program.
package struct HangupSignal: Service {
    private let supervisor: Supervisor?
    private let look: @Sendable () -> Void

    /// A signal that lets the service look at its certificate's files.
    package init(_ supervisor: Supervisor?, look: @escaping @Sendable () -> Void) {
        self.supervisor = supervisor
        self.look = look
    }

    package func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { look() }
        // It is the first that is stopped.
        supervisor?.tell(.stopping)
    }
}
