import ArgumentParser
import CarnetCommandLine
import Fixtures
import Foundation
import Testing

/// Settings of a made-up command. The cast: one of each type, one in a group, and options that are no settings.
@Suite("Configuration") struct ConfigurationTests {
    struct Cooler: ParsableCommand {
        enum Colour: String, ExpressibleByArgument, CaseIterable { case red, green }
        struct Secret: ConcealedSetting {
            let text: String
            init?(argument: String) { text = argument }
            var harmlessText: String? { nil }
            var holdsSecret: Bool { text.contains("secret") }
        }
        struct Fans: ParsableArguments {
            @Option var fanSpeed: Int64 = 7
            @Option var theCPULimit: Int?
        }

        @Option var place: String
        @Option var colour = Colour.red
        @Option var shelf: [String]
        @Option var remark: String?
        @Option var login: Secret?
        @Flag var quiet = false
        @OptionGroup var fans: Fans
        @OptionGroup var options: ConfigurationOptions
    }

    private let settings = Setting.all(of: Cooler.self)

    private func read(_ text: String) throws(ConfigurationError) -> [String: [String]] {
        try SettingsFile(parsing: text, path: "f", settings: settings).entries.mapValues(\.texts)
    }

    private func configuration(
        _ words: [String], _ environment: [String: String] = [:]
    ) throws(ConfigurationError) -> CarnetCommandLine.Configuration {
        try .init(of: Cooler.self, words, environment: environment, prefix: "COOLER_")
    }

    @Test("A setting is declared once: property, key, flag and variable have one name")
    func names() {
        #expect(
            settings.map(\.name) == [
                "place", "colour", "shelf", "remark", "login", "quiet", "fan-speed", "the-cpu-limit",
            ])
        #expect(settings.map { $0.environmentName("COOLER_") }.last == "COOLER_THE_CPU_LIMIT")
        #expect(settings.map(\.type.shape) == [.one, .one, .many, .one, .one, .flag, .one, .one])
        #expect(settings.last?.type.isNumber == true && settings.first?.type.isNumber == false)
        let help = Cooler.helpMessage()
        for setting in settings {
            #expect(help.contains("\(setting.flag) ") || help.contains("[\(setting.flag)]"), "\(setting.name)")
        }
    }

    @Test("A file is read as it stands")
    func file() throws {
        let text = "place: '7: a'\nshelf:\n  - one\n  - --two\nquiet: true\nfan-speed: -3\ncolour: green # not red\n"
        #expect(
            try read(text) == [
                "place": ["7: a"], "shelf": ["one", "--two"], "quiet": ["true"], "fan-speed": ["-3"],
                "colour": ["green"],
            ])
        for nothing in ["", "\n", "# place: x\n", "---\n"] { #expect(try read(nothing).isEmpty, "\(nothing)") }
        #expect(try read("remark: a && b").count == 1)
    }

    static let spoiled: [(text: String, place: String, key: String, reason: String)] = [
        ("place: a\nplaces: b\n", "f:2", "places", "did you mean place?"),
        ("fan_speed: 1", "f:1", "fan_speed", "did you mean fan-speed?"),
        ("zzzzzzzzzzzz: 1", "f:1", "zzzzzzzzzzzz", "is not a setting"),
        ("config: x", "f:1", "config", "is not a setting"),
        ("print-config: true", "f:1", "print-config", "is not a setting"),
        ("place: a\n\nplace: b\n", "f:", "place", "stands twice"),
        ("place: a\n\"place\": b\n", "f:", "place", "stands twice"),
        ("place: a\n!x place: b\n", "f:", "place", "stands twice"),
        ("place:\n  - a\n", "f:", "place", "is a list or a mapping, and not a text"),
        ("place: {a: b}", "f:1", "place", "is a list or a mapping, and not a text"),
        ("place:", "f:1", "place", "has no value"), ("place: ~", "f:1", "place", "has no value"),
        ("place: ''", "f:1", "place", "has no value"), ("place: null", "f:1", "place", "has no value"),
        ("place: |\n  a\n  b\n", "f:1", "place", "is more than one line"),
        ("place: \"a\\0b\"", "f:1", "place", "is more than one line"),
        ("shelf: a", "f:1", "shelf", "is not a list"), ("shelf: {a: b}", "f:1", "shelf", "is not a list"),
        ("shelf:\n  - a\n  - [b]\n", "f:3", "shelf", "has a value that is itself a list"),
        ("quiet: yes", "f:1", "quiet", "is not true or false"), ("quiet: 1", "f:1", "quiet", "is not true or false"),
        ("quiet: 'true'", "f:1", "quiet", "is not true or false"),
        ("quiet: True", "f:1", "quiet", "is not true or false"),
        ("a: b\nfan-speed: 1", "f:1", "a", "is not a setting"),
        ("fan-speed: fast", "f:1", "fan-speed", "is not a whole number"),
        ("fan-speed: 1.5", "f:1", "fan-speed", "is not a whole number"),
        ("fan-speed: '1'", "f:1", "fan-speed", "is not a whole number"),
        ("fan-speed: 99999999999999999999", "f:1", "fan-speed", "is not a whole number"),
        ("colour: blue", "f:1", "colour", "is not one of red, green"),
        ("place: &x a\nremark: *x\n", "f:1", "place", "has an anchor"),
        ("&x place: a\n", "f:1", "", "a key is"), ("[a]: b", "f:1", "", "a key is"),
        ("- place\n", "f:1", "", "is not a mapping"), ("place", "f:1", "", "is not a mapping"),
        ("place: a\n---\nplace: b\n", "f", "", "is not YAML"), ("place: 'a", "f", "", "is not YAML"),
        ("place: a\n\tremark: b\n", "f", "", "is not YAML"),
        (String(repeating: "[", count: 50_000), "f", "", "is not YAML"),
        (String(repeating: "- ", count: 30_000), "f", "", "is not"),
        ("#" + String(repeating: "x", count: 1 << 16), "f", "", "more than 65536 bytes"),
        ("shelf: [" + String(repeating: "a,", count: 257) + "]", "f:1", "shelf", "more than 256 values"),
    ]

    @Test("Everything else is an error with its line, its key and what to write", arguments: Self.spoiled)
    func mistake(text: String, place: String, key: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.place.hasPrefix(place) == true && error?.key == key, "\(error as Any)")
        #expect(error?.reason.contains(reason) == true, "\(error as Any)")
    }

    @Test("A flag goes before the environment, the environment before the file, and the file before the default")
    func precedence() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write(
            Array("place: file\nremark: file\nshelf: [file]\nquiet: true\nfan-speed: 1\n".utf8), "f.yaml")
        let environment = ["COOLER_REMARK": "variable", "COOLER_SHELF": "variable -x", "COOLER_CONFIG": path]
        let one = try configuration(["--shelf=flag", "--no-quiet"], environment)
        let command = try Cooler.parse(one.arguments)
        #expect(command.place == "file" && command.remark == "variable" && command.shelf == ["flag"])
        #expect(!command.quiet && command.fans.fanSpeed == 1 && command.colour == .red)
        #expect(
            one.origins == [
                "place": .file(path, line: 1), "remark": .environment("COOLER_REMARK"), "shelf": .flag, "quiet": .flag,
                "fan-speed": .file(path, line: 5),
            ])
        #expect(one.located("--fan-speed is odd") == "--fan-speed is odd (fan-speed is set at \(path):5)")
        #expect(one.located("--fan is odd") == "--fan is odd")
        let other = try Cooler.parse(configuration(["--config", "/dev/null", "--config", path], environment).arguments)
        #expect(other.shelf == ["variable", "-x"] && other.quiet)
        let off = try Cooler.parse(configuration([], environment.merging(["COOLER_QUIET": "0"]) { $1 }).arguments)
        #expect(!off.quiet)
    }

    struct Door: ParsableCommand, AlternativeSettings {
        static let alternatives: [Set<String>] = [["key", "code"]]
        @Option var key: String?
        @Option var code: String?
        @Option var colour: String?
    }

    @Test("Of settings that stand for one another, the one that is said in the first place decides")
    func alternatives() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write(Array("key: file\ncolour: file\n".utf8), "f.yaml")
        func door(_ words: [String], _ environment: [String: String] = [:]) throws -> Door {
            let configuration = try CarnetCommandLine.Configuration(
                of: Door.self, words, environment: environment.merging(["DOOR_CONFIG": path]) { $1 }, prefix: "DOOR_")
            return try Door.parse(configuration.arguments)
        }
        let none = try door([]), flag = try door(["--code", "flag"]), variable = try door([], ["DOOR_CODE": "variable"])
        #expect(none.key == "file" && none.code == nil)
        #expect(flag.key == nil && flag.code == "flag" && flag.colour == "file")
        #expect(variable.key == nil && variable.code == "variable")
        // Said in one place, both are there, and the command says that it wants one.
        let both = try door(["--key", "a", "--code", "b"])
        #expect(both.key == "a" && both.code == "b")
    }

    @Test("A variable that is no setting, or no value of one, is an error; Kubernetes' own are none")
    func environment() throws {
        for (name, reason) in [
            ("COOLER_PLACES", "did you mean COOLER_PLACE?"), ("COOLER_CONFIGS", "did you mean COOLER_CONFIG?"),
            ("COOLER_PORTS", "is not a setting"), ("COOLER_QUIET", "is not true or false"),
            ("COOLER_FAN_SPEED", "is not a whole number"), ("COOLER_COLOUR", "is not one of red, green"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try configuration([], [name: "x"]) }
            #expect(error?.key == name && error?.reason.contains(reason) == true, "\(error as Any)")
        }
        // What every name begins with makes none of them near.
        for name in ["COOLER_XY", "COOLER_LICENCE"] {
            let error = #expect(throws: ConfigurationError.self) { try configuration([], [name: "x"]) }
            #expect(error?.reason == "is not a setting", "\(error as Any)")
        }
        let others = [
            "COOLER_SERVICE_HOST": "x", "COOLER_PORT": "x", "COOLER_PORT_443_TCP": "x", "COOLERS": "x",
            "COOLER_PLACE": "", "COOLER_TOKEN_FILE": "x",
        ]
        #expect(try configuration([], others).arguments.isEmpty)
    }

    @Test(
        "A file that others may change, or with a secret that others can read, is not used, and no message repeats it")
    func access() throws {
        let folder = try TemporaryDirectory(), path = folder.path + "/f.yaml"
        func error(_ text: String, _ mode: Int) throws -> ConfigurationError? {
            try Data(text.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            do {
                _ = try configuration(["--config=\(path)"])
                return nil
            } catch { return error }
        }
        #expect(try error("login: secret", 0o640) == nil)
        #expect(try error("login: nothing", 0o644) == nil)
        let exposed = try error("\nlogin: a-secret", 0o644)
        #expect(exposed?.place == "\(path):2" && exposed?.description.contains("a-secret") == false)
        #expect(try error("place: a", 0o646)?.reason.contains("chmod o-w") == true)
        #expect(try error("place: \u{FFFD}", 0o600) == nil)
        for path in [folder.path, "/dev/null/x", "/no/such/file"] {
            #expect(throws: ConfigurationError.self) { try configuration(["--config", path]) }
        }
        _ = try folder.write([0x70, 0x3A, 0x20, 0xFF], "f.yaml")
        #expect(throws: ConfigurationError.self) { try configuration(["--config", path]) }
    }

    @Test("The report shows every value and who said it, and no secret")
    func report() throws {
        let one = try configuration(
            ["--place", "here", "--shelf", "a", "--login", "a-secret"], ["COOLER_FAN_SPEED": "9"])
        let report = ConfigurationReport(on: try Cooler.parse(one.arguments), one)
        let lines = Dictionary(uniqueKeysWithValues: report.settings.map { ($0.name, $0) })
        #expect(report.settings.map(\.name) == settings.map(\.name))
        #expect(lines["place"]?.value == .text("here") && lines["place"]?.from == "flag")
        #expect(lines["fan-speed"]?.value == .number(9) && lines["fan-speed"]?.place == "COOLER_FAN_SPEED")
        #expect(lines["colour"]?.value == .text("red") && lines["colour"]?.from == "default")
        #expect(lines["remark"]?.value == .nothing && lines["shelf"]?.value == .list(["a"]))
        #expect(lines["login"]?.value == .secret && lines["login"]?.secret == true && lines["login"]?.from == "flag")
        #expect(!String(decoding: try JSONEncoder().encode(report), as: UTF8.self).contains("a-secret"))
    }
}
