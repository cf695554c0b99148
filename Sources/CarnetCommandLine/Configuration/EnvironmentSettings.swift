/// What the environment says. A variable with the program's prefix that is no setting is an error: a slip would go unnoticed.
struct EnvironmentSettings {
    private(set) var texts: [String: [String]] = [:]

    /// Reads the variables.
    ///
    /// Kubernetes tells every container where the services of its namespace are: `CARNET_VERIFIER_SERVICE_HOST`, `CARNET_VERIFIER_PORT`
    /// and others for a service of that name. These are nobody's slip, and no setting begins like them. Nor is
    /// `CARNET_BROKER_TOKEN_FILE`, which `carnet` reads, and which may be set in the shell that starts a broker.
    init(_ environment: [String: String], prefix: String, settings: [Setting]) throws(ConfigurationError) {
        let known = Dictionary(settings.map { ($0.environmentName(prefix), $0) }) { first, _ in first }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            guard name.hasPrefix(prefix), !value.isEmpty, name != prefix + "CONFIG" else { continue }
            let rest = name.dropFirst(prefix.count)
            guard !rest.hasPrefix("SERVICE_"), rest != "PORT", !rest.hasPrefix("PORT_"), rest != "TOKEN_FILE" else {
                continue
            }
            guard let setting = known[name] else {
                throw .unknown(
                    name, in: "the environment", among: known.keys.sorted() + [prefix + "CONFIG"], behind: prefix)
            }
            texts[setting.name] = try Self.texts(value, of: setting, name)
        }
    }

    private static func texts(
        _ value: String, of setting: Setting, _ name: String
    ) throws(ConfigurationError) -> [String] {
        switch setting.type.shape {
        case .flag:
            switch value {
            case "true", "1": return ["true"]
            case "false", "0": return ["false"]
            default: throw ConfigurationError("the environment", name, "is not true or false")
            }
        case .one: return [try checked(value, setting, name)]
        case .many:
            var texts: [String] = []
            for part in value.split(whereSeparator: \.isWhitespace) {
                texts.append(try checked(String(part), setting, name))
            }
            return texts
        }
    }

    private static func checked(
        _ text: String, _ setting: Setting, _ name: String
    ) throws(ConfigurationError) -> String {
        guard setting.type.value(text) != nil else {
            throw ConfigurationError("the environment", name, "is not \(setting.type.expectation)")
        }
        return text
    }
}
