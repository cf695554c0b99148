import ArgumentParser
import CarnetCommandLine
package import CarnetService
import Foundation
package import Logging
import ServiceLifecycle
import UnixSignals

/// A program while it serves: what it tells the log and its supervisor, and what signals do.
package struct RunningProgram<Program: ListeningProgram>: Sendable {
    package let logger: Logger
    private let listening: ListenOptions<Program>
    private let supervisor: Supervisor?

    fileprivate init(_ listening: ListenOptions<Program>) {
        self.listening = listening
        logger = listening.logger(Program.name)
        supervisor = Supervisor(ProcessInfo.processInfo.environment)
    }

    /// To be called with the port of the metrics, once it is open.
    @Sendable package func isListeningForMetrics(_ port: Int) {
        let host = (try? listening.metricsAddress)?.host ?? ""
        logger.notice("listening for metrics", metadata: ["address": .string("\(host):\(port)")])
    }

    /// To be called with the service's port, once it is open.
    @Sendable package func isListening(_ port: Int) async {
        let host = (try? listening.address)?.host ?? ""
        await listening.announce("\(host):\(port)", logger)
        supervisor?.tell(.ready)
    }

    /// Runs the service until SIGTERM or SIGINT; SIGHUP looks at its certificate.
    package func run(_ service: some CertifiedService) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [service, HangupSignal(supervisor) { service.lookAtCertificate() }],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }
}

extension ListenOptions {
    /// Does what a program does to serve. What keeps it from that is said on standard error, with the line of the file that says so, and the
    /// program ends with status 1; a wrong setting passes through, and ends it with 2.
    package func serve(_ body: (RunningProgram<Program>) async throws -> Void) async throws {
        do {
            try await body(RunningProgram(self))
        } catch let error as ValidationError {
            throw error
        } catch {
            let message = Configuration.current?.located("\(error)") ?? "\(error)"
            try? FileHandle.standardError.write(contentsOf: Data("\(Program.name): \(message)\n".utf8))
            throw ExitCode(1)
        }
    }
}
