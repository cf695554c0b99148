/// PCR 7: Secure Boot's variables, the separator, and who allowed each image (PC Client Platform Firmware Profile 1.06 §3.3.4.8).
extension MeasuredBootReader {
    mutating func readSecureBoot(_ event: Event, _ content: MeasuredContent, _ boot: inout MeasuredBoot) {
        let type = event.untrustedType
        func report(_ kind: Irregularity.Kind) {
            boot.irregularities.append(.init(kind: kind, pcr: 7, event: event.index))
        }
        switch content {
        case .variable(let variable):
            if !type.isVariableInPCR7 { report(.misplacedData) }
            readVariable(event, variable, &boot)
        case .shimAuthority:
            // Shim runs after the separator, and its event has one type.
            if boot.separators[7] == nil || type != .efiVariableAuthority { report(.changedData) }
            boot.quirks.append(Quirk(kind: .shimTrailingByte, event: event.index))
            boot.authorities.append(
                MeasuredAuthority(
                    event: event.index, vendor: .shimLock, variable: nil, signature: nil, databaseEntry: nil))
        case .opaque: report(.hiddenInPCR7)
        case .data(let data):
            if type != .efiAction { report(.misplacedData) }
            if data.starts(with: "UEFI Debug Mode".utf8) { report(.debugMode) }
            if data.starts(with: "DMA Protection Disabled".utf8) { report(.dmaProtectionDisabled) }
        case .separator, .errorSeparator: break
        }
    }

    private mutating func readVariable(_ event: Event, _ variable: UEFIVariable, _ boot: inout MeasuredBoot) {
        guard let vendor = GUID(variable.vendor) else { return }
        let isOver = boot.separators[7] != nil
        let isDatabase = Self.databases[variable.name] == vendor
        if isDatabase, !isOver, !boot.databases.contains(where: { $0.name == variable.name }) {
            let content = Result { () throws(SignatureListError) in try SignatureDatabase(parsing: variable.data) }
            if case .failure = content {
                boot.irregularities.append(.init(kind: .unreadableDatabase, pcr: 7, event: event.index))
            }
            boot.databases.append(MeasuredDatabase(name: variable.name, event: event.index, content: content))
            return
        }
        let isKey = variable.name == "PK" || variable.name == "KEK"
        if variable.isSecureBoot || isDatabase && isKey {
            let isFirst = seenVariables.insert(SeenVariable(vendor: vendor, name: variable.name)).inserted && !isOver
            if !isFirst || isDatabase {
                boot.irregularities.append(.init(kind: .repeatedVariable, pcr: 7, event: event.index))
            }
        } else if !Self.isSetting(variable.name, vendor), isOver || isDatabase {
            // Whoever allowed an image, in whatever form: what cannot be read names nobody, and no rule can allow it.
            let signature =
                SignatureData(parsing: variable.data)
                ?? (vendor == .shimLock ? SignatureData(certificate: variable.data) : nil)
            if signature != nil || !isDatabase {
                // Which entry of db it is becomes clear when all events were read.
                boot.authorities.append(
                    MeasuredAuthority(
                        event: event.index, vendor: vendor, variable: variable.name, signature: signature,
                        databaseEntry: nil))
                return
            }
            boot.irregularities.append(.init(kind: .repeatedVariable, pcr: 7, event: event.index))
        }
        boot.variables.append(
            MeasuredVariable(event: event.index, vendor: vendor, name: variable.name, value: variable.data))
    }

    /// Variables that shim measures behind the separator, and that allow no image: its settings (shim, README.tpm).
    private static func isSetting(_ name: String, _ vendor: GUID) -> Bool {
        vendor == .shimLock && ["SbatLevel", "MokListTrusted", "MokSBState", "MokDBState"].contains(name)
    }

    /// Finds each authority among db's entries.
    func assignAuthorities(_ boot: inout MeasuredBoot) {
        guard boot.authorities.contains(where: { $0.vendor == .imageSecurityDatabase }),
            let database = boot.database("db")
        else { return }
        // An index, for both have as many entries as the attester likes.
        var places: [ArraySlice<UInt8>: [(owner: GUID, place: Int)]] = [:]
        for (place, entry) in database.signatures.enumerated() {
            places[entry.data, default: []].append((entry.owner, place))
        }
        boot.authorities = boot.authorities.map { authority in
            guard authority.vendor == .imageSecurityDatabase, let signature = authority.signature else {
                return authority
            }
            let entry = places[signature.data]?.first { $0.owner == signature.owner }
            return MeasuredAuthority(
                event: authority.event, vendor: authority.vendor, variable: authority.variable, signature: signature,
                databaseEntry: entry?.place)
        }
    }

    /// The variables that hold signature lists, and their vendors (UEFI Specification §32.3, §32.4).
    private static let databases: [String: GUID] = [
        "PK": .globalVariable, "KEK": .globalVariable, "db": .imageSecurityDatabase, "dbx": .imageSecurityDatabase,
        "dbt": .imageSecurityDatabase, "dbr": .imageSecurityDatabase,
    ]
}
