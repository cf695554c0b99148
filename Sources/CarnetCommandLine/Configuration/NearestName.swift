/// The name that somebody who made a slip probably meant.
enum NearestName {
    /// The longest name that is looked at, in characters.
    static let maximumLength = 80

    /// The nearest of `names`, when no more than every third character differs; the first of several.
    ///
    /// - Parameter prefix: What `name` and all of `names` begin with. It makes nothing nearer: what is behind it is compared.
    static func to(_ name: String, among names: [String], behind prefix: String = "") -> String? {
        guard name.count <= maximumLength else { return nil }
        let own = Array(name.dropFirst(prefix.count))
        let near = names.map { name in
            let other = Array(name.dropFirst(prefix.count))
            return (name: name, count: other.count, distance: distance(own, other))
        }
        guard let best = near.min(by: { $0.distance < $1.distance }), best.distance <= max(1, best.count / 3)
        else { return nil }
        return best.name
    }

    /// How many characters have to be put in, left out or replaced (Levenshtein).
    static func distance(_ one: [Character], _ other: [Character]) -> Int {
        var row = Array(0...other.count)
        for (i, a) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in other.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[other.count]
    }
}
