import MeasurementLogs
import StrictEncoding

/// A measured boot as people read it, and as JSON.
struct MeasuredBootReport: Encodable {
    struct Object: Encodable {
        let event: Int
        let pcr: Int
        let digest: String
        let untrustedRole: String
        let untrustedName: String?
    }

    struct Text: Encodable {
        let event: Int
        let pcr: Int
        let text: String
    }

    struct Remark: Encodable {
        let kind: String
        let pcr: Int?
        let event: Int?
    }

    let firmwareVersion: String?
    let secureBoot: String
    /// How many entries each of PK, KEK, db and dbx has; `nil` for one that cannot be read.
    let databases: [String: Int?]
    let authorities: [String]
    let sbatLevel: String?
    let objects: [Object]
    let commands: [Text]
    let commandLines: [Text]
    let sections: [String: String]
    /// Known deviations that were read around.
    let quirks: [Remark]
    /// What a boot does not do.
    let irregularities: [Remark]

    init(_ boot: MeasuredBoot) {
        firmwareVersion = boot.firmwareVersion?.text
        secureBoot = boot.secureBoot.rawValue
        databases = Dictionary(
            boot.databases.map { ($0.name, (try? $0.content.get())?.count) }, uniquingKeysWith: { first, _ in first })
        authorities = boot.authorities.map { $0.variable ?? "shim" }
        sbatLevel = boot.sbatLevel
        objects = boot.objects.map {
            Object(
                event: $0.event, pcr: $0.pcr, digest: Hexadecimal.encode($0.digest),
                untrustedRole: $0.untrustedRole.rawValue, untrustedName: $0.untrustedName)
        }
        commands = boot.commands.map { Text(event: $0.event, pcr: $0.pcr, text: $0.text) }
        commandLines = boot.commandLines.map { Text(event: $0.event, pcr: $0.pcr, text: $0.text) }
        sections = Dictionary(
            boot.sections.map { ($0.name, Hexadecimal.encode($0.digest)) }, uniquingKeysWith: { first, _ in first })
        quirks = boot.quirks.map { Remark(kind: $0.kind.rawValue, pcr: nil, event: $0.event) }
        irregularities = boot.irregularities.map { Remark(kind: $0.kind.rawValue, pcr: $0.pcr, event: $0.event) }
    }

    /// Two columns: what, and what it is.
    var rows: [(String, String)] {
        var rows = [("firmware version", firmwareVersion ?? "not measured"), ("Secure Boot", secureBoot)]
        for name in ["PK", "KEK", "db", "dbx"] {
            guard let count = databases[name] else { continue }
            rows.append((name, count.map { "\($0) \($0 == 1 ? "entry" : "entries")" } ?? "unreadable"))
        }
        if !authorities.isEmpty { rows.append(("allowed to run by", authorities.joined(separator: ", "))) }
        if let sbatLevel { rows.append(("SBAT level", sbatLevel.replacing("\n", with: " "))) }
        for object in objects {
            let name = object.untrustedName.map { "\u{201C}\($0)\u{201D} " } ?? ""
            rows.append(("PCR \(object.pcr) \(object.untrustedRole)", name + object.digest))
        }
        for text in commands + commandLines { rows.append(("PCR \(text.pcr) text", text.text)) }
        for (name, digest) in sections.sorted(by: { $0.key < $1.key }) { rows.append(("section \(name)", digest)) }
        for quirk in quirks { rows.append(("workaround", "\(quirk.kind), event \(quirk.event ?? 0)")) }
        for irregularity in irregularities {
            let place = irregularity.event.map { ", event \($0)" } ?? ""
            rows.append(("irregular", "\(irregularity.kind), PCR \(irregularity.pcr ?? 0)\(place)"))
        }
        return rows
    }
}
