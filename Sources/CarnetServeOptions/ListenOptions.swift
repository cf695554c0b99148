package import ArgumentParser
package import CarnetService
import Foundation
package import Logging

/// Where a service listens, how bytes travel, and what it tells of itself.
///
/// - Parameter Program: Whose port is taken where none is named.
package struct ListenOptions<Program: ListeningProgram>: ParsableArguments {
    @Option(help: ArgumentHelp("Where to listen. Port 0 takes a free one.", valueName: "address:port"))
    package var listen = Program.listen

    @Flag(help: "Serve HTTP without TLS. Only on loopback.")
    package var plainHttp = false

    @Option(help: ArgumentHelp("The certificate chain, PEM.", valueName: "file"))
    package var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM, not readable by others.", valueName: "file"))
    package var tlsPrivateKey: String?

    @Flag(help: "Serve GET /metrics, for Prometheus, beside the other calls: anybody may read it.")
    package var metrics = false

    @Option(
        help: ArgumentHelp(
            "Serve GET /metrics here: without TLS on loopback, with the TLS files elsewhere.",
            valueName: "address:port"))
    package var metricsListen: String?

    @Option(
        help: ArgumentHelp("How often the TLS files are looked at: 1 to 86400. SIGHUP looks now.", valueName: "seconds")
    )
    package var tlsReloadSeconds: Int64 = 60

    @Option(
        help: ArgumentHelp(
            "How long to answer after SIGTERM, while readyz fails, before no connection is taken: 0 to 600.",
            valueName: "seconds"))
    package var drainSeconds = 5

    @Option(help: ArgumentHelp("Write the address here once it listens.", valueName: "file"))
    package var addressFile: String?

    @Option(help: ArgumentHelp("The least level to log.", valueName: "level"))
    package var logLevel = Logger.Level.info

    package init() {}

    /// Where to listen.
    package var address: ListenAddress {
        get throws {
            guard let address = ListenAddress(listen) else {
                throw ValidationError(
                    "--listen \(listen) is not an address and a port, such as \(Program.listen) or [::1]:8443")
            }
            return address
        }
    }

    /// How bytes travel.
    package var security: TransportSecurity {
        get throws {
            switch (plainHttp, tlsCertificate, tlsPrivateKey) {
            case (true, nil, nil): return .plainHTTP
            case (false, let certificate?, let key?): return .tls(certificateFile: certificate, privateKeyFile: key)
            case (true, _, _): throw ValidationError("Give either --plain-http or the two TLS files, not both.")
            default:
                throw ValidationError("Give --tls-certificate and --tls-private-key, or --plain-http on loopback.")
            }
        }
    }

    /// Where metrics are served by themselves.
    package var metricsAddress: ListenAddress? {
        get throws {
            try metricsListen.map { text in
                guard let address = ListenAddress(text) else {
                    throw ValidationError(
                        "--metrics-listen \(text) is not an address and a port, such as 127.0.0.1:9464")
                }
                return address
            }
        }
    }

    /// How often the TLS files are looked at.
    package var certificateInterval: Duration {
        get throws {
            guard (1...86_400).contains(tlsReloadSeconds) else {
                throw ValidationError("--tls-reload-seconds is 1 to 86400.")
            }
            return .seconds(tlsReloadSeconds)
        }
    }

    /// How long to answer after SIGTERM.
    package var checkedDrainSeconds: Int {
        get throws {
            guard (0...600).contains(drainSeconds) else { throw ValidationError("--drain-seconds is 0 to 600.") }
            return drainSeconds
        }
    }

    /// Says where it listens: in the log, and in a file if one is named.
    package func announce(_ address: String, _ logger: Logger) async {
        logger.notice("listening", metadata: ["address": .string(address)])
        guard let addressFile else { return }
        do {
            try Data((address + "\n").utf8).write(to: URL(filePath: addressFile), options: .atomic)
        } catch {
            logger.error("cannot write the address file", metadata: ["file": .string(addressFile)])
        }
    }

    /// Lines of JSON on standard error.
    package func logger(_ program: String) -> Logger {
        Logger(label: program) { label in
            var handler = JSONLinesLogHandler(label: label, now: { Int64(Date.now.timeIntervalSince1970) }) { line in
                _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            }
            handler.logLevel = logLevel
            return handler
        }
    }
}
