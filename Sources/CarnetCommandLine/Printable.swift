extension String {
    /// The text with everything replaced that could move a terminal's cursor, hide what follows or turn it round. Line ends stay.
    package var printable: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            scalars.append(scalar == "\n" || scalar.isHarmless ? scalar : "\u{FFFD}")
        }
        return String(scalars)
    }

    /// The same for one cell of a table or one line: line ends are replaced too.
    package var printableLine: String { String(printable.map { $0.isNewline ? "\u{FFFD}" : $0 }) }
}

extension Unicode.Scalar {
    fileprivate var isHarmless: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
