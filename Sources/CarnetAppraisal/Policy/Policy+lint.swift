extension Policy {
    /// ``warnings``, and what is so at a time, in seconds since 1970: values that no longer count, or do not count yet.
    public func warnings(at now: Int64) -> [String] {
        var warnings = warnings
        for bank in banks {
            for (pcr, rule) in bank.rules.sorted(by: { $0.key < $1.key }) {
                guard case .values(let values) = rule, !values.contains(where: { $0.window.contains(now) }) else {
                    continue
                }
                warnings.append("\(bank.algorithm): no value of PCR \(pcr) counts now: every machine is refused")
            }
        }
        for rule in components where !rule.allowed.isEmpty && rule.others == .refuse {
            guard !rule.allowed.contains(where: { $0.window.contains(now) }) else { continue }
            let name = rule.componentClass.rawValue
            warnings.append(
                "components.\(name): nothing that it allows counts now: whatever is measured there is refused")
        }
        return warnings
    }

    /// What is allowed and may still be a mistake, each in a sentence.
    public var warnings: [String] {
        var warnings: [String] = []
        for bank in banks {
            let named = Set(bank.rules.keys)
            let boot = [0, 4, 7].filter { !named.contains($0) }
            if !boot.isEmpty {
                let list = boot.map(String.init).joined(separator: ", ")
                warnings.append(
                    "\(bank.algorithm): PCR \(list) not named: firmware (0), boot loader (4) or Secure Boot (7) may change unseen"
                )
            }
            let ruled = Set(components.map(\.componentClass.pcr) + [ima?.pcr].compactMap(\.self))
            let ignored = bank.rules.filter { $0.value == .ignore && !ruled.contains($0.key) }.keys.sorted()
            if !components.isEmpty, !ignored.isEmpty {
                let list = ignored.map(String.init).joined(separator: ", ")
                warnings.append(
                    "\(bank.algorithm): PCR \(list): no rule covers what they measure; the log explains it, and it is accepted"
                )
            }
            if !requiresEventLog, !ignored.isEmpty {
                let list = ignored.map(String.init).joined(separator: ", ")
                warnings.append(
                    "\(bank.algorithm): PCR \(list) ignored: without a log nothing explains it, and evidence fails")
            }
            if named.contains(10), ima?.pcr != 10 {
                warnings.append(
                    "\(bank.algorithm): PCR 10 changes with every file that IMA measures; the firmware's log does not explain it"
                )
            }
        }
        if !requiresEventLog {
            warnings.append(
                "event_log is optional: findings cannot name the event, and tokens say depth pcrs where no log comes")
        }
        for rule in components where rule.allowed.isEmpty && rule.others == .refuse && missingReferences.isEmpty {
            warnings.append(
                "components.\(rule.componentClass.rawValue) allows nothing: whatever is measured there is refused")
        }
        return warnings + referenceWarnings
    }
}
