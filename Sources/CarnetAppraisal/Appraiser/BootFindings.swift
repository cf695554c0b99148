internal import CarnetEvidence
internal import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// What a policy's `boot` and `components` say about a measured boot.
struct BootFindings {
    let boot: MeasuredBoot
    /// The digests and patterns that count at this moment, in seconds since 1970.
    let now: Int64

    /// Secure Boot and the firmware's version.
    func boot(_ rules: BootRules) -> [Finding] {
        var findings: [Finding] = []
        let demanded: SecureBootState? =
            switch rules.secureBoot {
            case .required: .enabled
            case .disabled: .disabled
            case .any: nil
            }
        if let demanded, boot.secureBoot != demanded {
            findings.append(
                finding(
                    "secure-boot", pcr: 7, event: nil,
                    "Secure Boot is \(boot.secureBoot.rawValue), and the policy wants it \(demanded.rawValue)",
                    expected: demanded.rawValue, found: boot.secureBoot.rawValue,
                    remedy: boot.secureBoot == .unknown
                        ? "Quote PCR 7 in a bank in which the firmware measures, and send the log as the kernel gives it"
                        : "Change it in the firmware's setup"))
        }
        if !rules.firmwareVersions.isEmpty {
            let version = boot.firmwareVersion?.text ?? ""
            if !rules.firmwareVersions.contains(where: { $0.matches(version.utf8) }) {
                findings.append(
                    finding(
                        "firmware-version", pcr: 0, event: boot.firmwareVersion?.event,
                        "The firmware's version is not one that the policy allows",
                        expected: rules.firmwareVersions.map(\.description).joined(separator: " or "), found: version,
                        remedy: "Update the firmware, or add its version to the policy"))
            }
        }
        return findings
    }

    /// Every component of the rule's class that the rule does not allow.
    func components(_ rule: ComponentRule) -> [Finding] {
        let components = components(of: rule.componentClass)
        return components.compactMap { component in
            switch rule.standing(of: component, at: now) {
            case .allowed: nil
            case .outsideWindow: unknown(component, rule, isOutsideWindow: true)
            case .unknown: unknown(component, rule, isOutsideWindow: false)
            }
        }
    }

    /// One thing that the boot measured.
    struct Component {
        let event: Int
        /// In the bank of the replay; for authorities SHA-256 of the certificate, or the digest that is listed.
        let digest: [UInt8]
        /// Text that the digest covers.
        let text: String?
        /// What the log calls it.
        let hint: String?
    }

    /// What the log lists of a class. The PCR decides, never a label.
    func components(of kind: ComponentClass) -> [Component] {
        switch kind {
        case .firmware, .driver, .application, .file, .mokList:
            boot.objects.filter { $0.pcr == kind.pcr }.map {
                Component(event: $0.event, digest: Array($0.digest), text: nil, hint: $0.untrustedName)
            }
        case .section:
            boot.sections.map { Component(event: $0.event, digest: Array($0.digest), text: nil, hint: $0.name) }
                + boot.objects.filter { $0.pcr == kind.pcr }.map {
                    Component(event: $0.event, digest: Array($0.digest), text: nil, hint: $0.untrustedName)
                }
        case .authority:
            boot.authorities.map { authority in
                let data = authority.signature?.reference ?? []
                return Component(event: authority.event, digest: data, text: nil, hint: authority.variable ?? "shim")
            }
        case .command: texts(boot.commands) + hidden(kind)
        case .commandLine: texts(boot.commandLines) + hidden(kind)
        }
    }

    private func texts(_ texts: [MeasuredText]) -> [Component] {
        texts.map { Component(event: $0.event, digest: [], text: $0.text, hint: nil) }
    }

    /// What the PCR of a text holds and the log does not show.
    private func hidden(_ kind: ComponentClass) -> [Component] {
        boot.objects.filter { $0.pcr == kind.pcr }.map {
            Component(event: $0.event, digest: Array($0.digest), text: nil, hint: $0.untrustedName)
        }
    }

    private func unknown(_ component: Component, _ rule: ComponentRule, isOutsideWindow: Bool) -> Finding {
        let kind = rule.componentClass
        let name =
            component.text.map(Event.printable) ?? component.hint.map { "called \(Event.printable($0)) by the log" }
            ?? "without a name"
        return finding(
            isOutsideWindow ? "component-window" : "component-unknown", pcr: kind.pcr, event: component.event,
            isOutsideWindow
                ? "The \(kind.rawValue) \(name) is in the policy, and its time is not now"
                : "The \(kind.rawValue) \(name) is none that the policy allows",
            expected: rule.summary,
            found: component.digest.isEmpty
                ? component.text.map { Event.clean($0, upTo: 512) } : Hexadecimal.encode(component.digest),
            remedy: isOutsideWindow
                ? "Change the window in the policy, or the machine"
                : "If it was intended, add it to components.\(kind.rawValue); if not, find out who put it there")
    }

    private func finding(
        _ rule: String, pcr: Int, event: Int?, _ description: String, expected: String?, found: String?, remedy: String
    ) -> Finding {
        Finding(
            .policyViolation, rule: rule, bank: boot.bank.description, pcr: pcr, event: event, description,
            expected: expected, found: found, remedy: remedy)
    }
}

extension ComponentRule {
    fileprivate func standing(of component: BootFindings.Component, at now: Int64) -> AllowedDigests.Standing {
        // A component has a digest or a text; what has neither is unknown.
        if !component.digest.isEmpty { return digests.standing(of: component.digest, at: now) }
        guard let text = component.text else { return .unknown }
        var isNamed = false
        for allowed in texts where allowed.pattern.matches(text.utf8) {
            if allowed.window.contains(now) { return .allowed }
            isNamed = true
        }
        return isNamed ? .outsideWindow : .unknown
    }
}
