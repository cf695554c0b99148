package import StrictEncoding

/// A service's own life.
package struct ServiceStep: LedgerFact, Hashable {
    /// Whether it began; else it ended.
    package let isStart: Bool
    /// The program's version.
    package let version: String

    /// A step.
    package init(isStart: Bool, version: String) {
        self.isStart = isStart
        self.version = version
    }

    package var kind: String { "service" }
    package var subject: String? { nil }
    package var actor: String? { nil }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        writer.string("step", isStart ? "start" : "stop")
        writer.string("version", version)
    }
}
