using System.Globalization;
using System.Text.RegularExpressions;

namespace Godwit.ClickHouse;

/// <summary>An error as the server wrote it, taken apart. The message still may hold secrets.</summary>
/// <param name="Code">ClickHouse's code, never 0.</param>
/// <param name="Name">Its name in capitals, or empty: old servers send none.</param>
/// <param name="Message">The words, without code, name, version and stack trace.</param>
internal sealed partial record ServerError(int Code, string Name, string Message)
{
    /// <summary>Reads an error's text.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="headerCode">The code that the server put into a header; it wins.</param>
    /// <returns>Null when there is neither a header nor a code at the start of the text: then it is not ClickHouse's.</returns>
    public static ServerError? Parse(string text, int? headerCode = null)
    {
        var start = Start().Match(text);
        var code = headerCode ?? (start.Success && int.TryParse(start.Groups["code"].Value, CultureInfo.InvariantCulture, out var c) ? c : 0);
        if (code == 0)
        {
            return null;
        }

        var message = StackTrace().Replace(start.Success ? text[start.Length..] : text, "");
        message = What().Replace(Version().Replace(message, ""), "").Trim();
        var name = CodeName().Match(message);
        return new ServerError(code, name.Groups["name"].Value, (name.Success ? message[..name.Index] : message).Trim());
    }

    /// <summary>Whether a line in a body begins as an exception does.</summary>
    public static bool StartsIn(string line) => line.StartsWith("Code: ", StringComparison.Ordinal) && Start().IsMatch(line);

    /// <summary>Whether a text ends as an exception does. A value in TabSeparated is one line, so that both in one line is a whole one.</summary>
    public static bool EndsIn(string text) => End().IsMatch(text);

    [GeneratedRegex(@"^\s*Code: (?<code>\d{1,9})(\. |, e\.displayText\(\) = )DB::\w*Exception: ", RegexOptions.ExplicitCapture)]
    private static partial Regex Start();

    [GeneratedRegex(@"(, e\.what\(\) = [\w:]+|\(version [^\n]*\))\s*$", RegexOptions.ExplicitCapture)]
    private static partial Regex End();

    [GeneratedRegex(@"(, |\.? ?)Stack trace( \(when copying this message[^)]*\))?:.*$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex StackTrace();

    [GeneratedRegex(@"\s*\(version \d[\w.\-+]*( \([^()]*\))?\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Version();

    [GeneratedRegex(@",? e\.what\(\) = [\w:]+")]
    private static partial Regex What();

    [GeneratedRegex(@"\s*\((?<name>[A-Z][A-Z0-9_]{3,})\)$", RegexOptions.ExplicitCapture)]
    private static partial Regex CodeName();
}
