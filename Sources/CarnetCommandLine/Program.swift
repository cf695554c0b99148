package import ArgumentParser
import Foundation

/// How every program runs: parse, run, and end with a status that says what happened.
package enum Program {
    /// Runs `root` with the arguments of the process.
    ///
    /// Help and version end with 0. What cannot be parsed, and every `ValidationError`, is wrong usage: 2, and the usage of the command
    /// that was meant.
    ///
    /// - Parameter explain: Makes a ``Failure`` of an error that the program knows.
    package static func main<Root: AsyncParsableCommand>(
        _ root: Root.Type, explaining explain: (any Error) -> Failure? = { _ in nil }
    ) async {
        let command: any ParsableCommand
        do {
            command = try root.parseAsRoot()
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
            return Failure(.unreadable, "Error: \(mistake.message)\n\(usage)")
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
