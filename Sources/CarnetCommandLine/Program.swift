package import ArgumentParser
import Foundation

/// How every program runs: parse, run, and end with a status that says what happened.
package enum Program {
    /// Runs `root` with the arguments of the process.
    ///
    /// Help and version end with 0. What cannot be parsed, and every `ValidationError`, is wrong usage: 2, and the usage of the command
    /// that was meant.
    ///
    /// - Parameters:
    ///   - configured: The commands that take their settings from the environment and a file too, with what the names of the variables
    ///     begin with. The first is meant as well when no command is named, and its settings are all that there are: of these, each of the
    ///     others takes those that it has itself.
    ///   - path: The group of commands in which they are; none for the program's own.
    ///   - explain: Makes a ``Failure`` of an error that the program knows.
    package static func main<Root: AsyncParsableCommand>(
        _ root: Root.Type, configuring configured: (commands: [any ParsableCommand.Type], variables: String)? = nil,
        under path: [String] = [], explaining explain: (any Error) -> Failure? = { _ in nil }
    ) async {
        let words = IdentifierWords.behindOptions(Array(CommandLine.arguments.dropFirst())),
            meant: (name: [String], Configuration)?
        do {
            meant = try configured.flatMap { try Self.configuration(of: $0.commands, path, words, $0.variables) }
        } catch { end(Failure(.unreadable, "\(error)")) }
        let arguments = meant.map { $0.name + $0.1.arguments } ?? words
        await Configuration.$current.withValue(meant?.1) { await run(root, arguments, explain) }
    }

    /// The configuration of that command which is asked for, and its name; `nil` when another command or help is.
    private static func configuration(
        of commands: [any ParsableCommand.Type], _ path: [String], _ words: [String], _ prefix: String
    ) throws(ConfigurationError) -> (name: [String], Configuration)? {
        guard words.starts(with: path) else { return nil }
        let words = Array(words.dropFirst(path.count))
        let named = commands.first { words.first != nil && words.first == $0.configuration.commandName }
        guard let all = commands.first, named != nil || words.first?.hasPrefix("-") ?? true,
            !words.contains(where: { ["-h", "-help", "--help", "--version"].contains($0) })
        else { return nil }
        let command = named ?? all
        let configuration = try Configuration(
            of: command, among: all, Array(words.dropFirst(named == nil ? 0 : 1)),
            environment: ProcessInfo.processInfo.environment, prefix: prefix)
        return (path + (command.configuration.commandName.map { [$0] } ?? []), configuration)
    }

    private static func run<Root: AsyncParsableCommand>(
        _ root: Root.Type, _ arguments: [String], _ explain: (any Error) -> Failure?
    ) async {
        let command: any ParsableCommand
        do {
            command = try root.parseAsRoot(arguments)
        } catch {
            guard root.exitCode(for: error) != .success else { root.exit(withError: error) }
            end(Failure(.unreadable, root.fullMessage(for: error)))
        }
        do {
            var command = command
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            end(failure(error, of: type(of: command), root, explain))
        }
    }

    private static func failure<Root: ParsableCommand>(
        _ error: any Error, of command: any ParsableCommand.Type, _ root: Root.Type, _ explain: (any Error) -> Failure?
    ) -> Failure {
        if let failure = error as? Failure { return failure }
        if let failure = explain(error) { return failure }
        if let mistake = error as? ValidationError {
            let usage = root == command ? root.usageString() : root.usageString(for: command)
            let message = Configuration.current?.located(mistake.message) ?? mistake.message
            return Failure(.unreadable, "Error: \(message)\n\(usage)")
        }
        // A bare group of commands asks for its help.
        guard root.exitCode(for: error) != .success else { root.exit(withError: error) }
        return Failure(.unreadable, root.fullMessage(for: error))
    }

    private static func end(_ failure: Failure) -> Never {
        if !failure.message.isEmpty {
            // Where nobody reads it, the exit status still tells.
            try? FileHandle.standardError.write(contentsOf: Data((failure.message.printable + "\n").utf8))
        }
        exit(failure.status.rawValue)
    }
}
