/// A command line, and which settings it says.
struct GivenWords {
    private(set) var words: [String]
    /// The settings that it says, for or against.
    private(set) var names: Set<String> = []
    /// What `--config` names.
    private(set) var file: String?
    private let negations: Set<String>

    /// A word is a flag when it is one to ArgumentParser, which takes no value that begins with a dash unless after an equals sign.
    init(_ words: [String], _ settings: [Setting]) {
        self.words = words
        negations = Set(settings.filter { $0.type.shape == .flag }.map { "--no-" + $0.name })
        let known = Set(settings.map(\.name))
        for (index, word) in words.enumerated() {
            guard word.hasPrefix("--") else { continue }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            if name == "config" {
                file = parts.count == 2 ? String(parts[1]) : index + 1 < words.count ? words[index + 1] : nil
            }
            if known.contains(name) { names.insert(name) }
            if negations.contains(word) { names.insert(String(word.dropFirst(5))) }
        }
    }

    /// Takes the words `--no-…` away, which say what the default is: false.
    mutating func removeNegations() { words.removeAll { negations.contains($0) } }
}
