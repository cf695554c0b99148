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
        }
    }
}
