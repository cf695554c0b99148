import Foundation

/// Why a service does not start. Each message says what to do.
public enum ServiceStartError: Error, Equatable, CustomStringConvertible {
    /// Plain HTTP was asked for on an address that other machines can reach.
    case plainHTTPBeyondLoopback(ListenAddress)
    /// A file cannot be read, or does not hold what it should: path and reason.
    case unreadable(String, String)
    /// A file with a secret can be read by others: path and mode.
    case exposed(String, mode: String)
    /// A file or folder belongs to another user: path.
    case foreign(String)
    /// A folder can be changed by others: path and mode.
    case writableByOthers(String, mode: String)
    /// A file cannot be written: path and reason.
    case unwritable(String, String)
    /// An address cannot be listened on: which, the setting that names it, and the system's error number.
    case cannotListen(ListenAddress, setting: String, errno: CInt)

    private static func reason(_ number: CInt, _ address: ListenAddress, _ setting: String) -> String {
        switch number {
        case EADDRINUSE:
            "another program does. See which with `ss -ltnp 'sport = :\(address.port)'`, and end it, or give another \(setting)."
        case EACCES:
            "ports below 1024 are for programs with CAP_NET_BIND_SERVICE. Give it that, or another \(setting)."
        case EADDRNOTAVAIL: "this machine does not have the address. Give another \(setting); 0.0.0.0 is all of them."
        default: "\(String(cString: strerror(number))). Give another \(setting)."
        }
    }

    /// A sentence for the operator.
    public var description: String {
        switch self {
        case .plainHTTPBeyondLoopback(let address):
            "Plain HTTP is served on loopback only, and \(address) is not. "
                + "Listen on 127.0.0.1, or give --tls-certificate and --tls-private-key."
        case .unreadable(let path, let reason): "Cannot use \(path): \(reason)"
        case .exposed(let path, let mode):
            "\(path) holds a secret and others can read it (mode \(mode)). Run: chmod 600 \(path)"
        case .foreign(let path):
            "\(path) belongs to another user, who could put anything there. Remove it, or take it over with chown."
        case .writableByOthers(let path, let mode):
            "\(path) can be changed by others (mode \(mode)). Run: chmod go-w \(path), or name a folder in it that does not exist yet."
        case .unwritable(let path, let reason): "Cannot write \(path): \(reason)"
        case .cannotListen(let address, let setting, let number):
            "Cannot listen on \(address): \(Self.reason(number, address, setting))"
        }
    }
}
