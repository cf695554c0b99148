/// Remarks by kind and PCR, in the order of their first events.
struct BootRemarks {
    private struct Key: Hashable {
        let rule: String
        let pcr: Int
    }
    private var entries: [(remark: BootRemark, pcr: Int, event: Int?, count: Int)] = []
    private var places: [Key: Int] = [:]

    mutating func add(_ remark: BootRemark, _ pcr: Int, _ event: Int?) {
        if let place = places[Key(rule: remark.rule, pcr: pcr)] {
            entries[place].count += 1
        } else {
            places[Key(rule: remark.rule, pcr: pcr)] = entries.count
            entries.append((remark, pcr, event, 1))
        }
    }

    var sorted: [(remark: BootRemark, pcr: Int, event: Int?, count: Int)] {
        entries.sorted { ($0.event ?? -1, $0.pcr) < ($1.event ?? -1, $1.pcr) }
    }
}
