internal import CarnetAttester
internal import CarnetEvidence
internal import CarnetService
internal import Logging

/// Writes down what becomes of the passport: in the files for others, and in the log. Neither passport nor nonce is in the log.
actor StatusDiary {
    private let configuration: AgentConfiguration
    private var lastToken: [UInt8]?
    private var lastRevision: UInt64 = 0

    init(_ configuration: AgentConfiguration) { self.configuration = configuration }

    /// The status as JSON.
    nonisolated var document: @Sendable (KeeperStatus) -> [UInt8] {
        { [configuration] status in
            StatusDocument.bytes(
                status, node: configuration.node, verifier: configuration.verifier,
                now: configuration.clock.calendar(), monotonic: configuration.clock.monotonic())
        }
    }

    /// Something happened.
    func note(_ status: KeeperStatus) {
        // What overtook it is newer: a passport that was withdrawn does not come back.
        guard status.revision > lastRevision else { return }
        lastRevision = status.revision
        do {
            try configuration.files.show(status, document(status))
        } catch {
            configuration.logger.error("a file for others cannot be written", metadata: ["reason": .string("\(error)")])
        }
        log(status)
    }

    private func log(_ status: KeeperStatus) {
        let logger = configuration.logger
        var more: Logger.Metadata = ["state": .string(status.state.word)]
        if let next = status.nextIn { more["next_in"] = .stringConvertible(next) }
        if let passport = status.passport, passport.token != lastToken {
            lastToken = passport.token
            more["expires_in"] = .stringConvertible(passport.summary.lifetime)
            logger.info("passport", metadata: more)
            if let warning = status.clockWarning { logger.warning("\(warning)") }
            return
        }
        if status.passport == nil, lastToken != nil {
            lastToken = nil
            logger.warning("the passport is out of service", metadata: more)
        }
        switch status.state {
        case .failing:
            more["reason"] = .string(status.failure ?? "")
            logger.warning("no answer about the machine", metadata: more)
        case .refused:
            for finding in status.findings.prefix(16) {
                more["rule"] = .string(finding.rule)
                more["pcr"] = finding.pcr.map { .stringConvertible($0) }
                more["event"] = finding.event.map { .stringConvertible($0) }
                more["finding"] = .string(finding.description)
                logger.warning("refused", metadata: more)
            }
        case .pendingApproval: logger.notice("an operator has to approve the machine", metadata: more)
        case .unenrolled, .fresh, .renewing: break
        }
    }
}
