using System.Text.RegularExpressions;

namespace Godwit.ClickHouse;

/// <summary>
/// Takes secrets out of a server's words. Servers echo SQL in errors, whole or from its middle, so the secrets are looked up in the
/// statement that was sent and are masked wherever they turn up; SQL of others that is quoted in the text is masked by its shape.
/// </summary>
internal static partial class SecretMask
{
    // Shorter ones would mask half of an ordinary sentence, and protect nothing.
    private const int ShortestFoundSecret = 4;

    /// <summary>The text without the password, the secrets of the statement, and what looks like one.</summary>
    public static string Apply(string text, Secret password, string sentSql)
    {
        if (text.Length == 0)
        {
            return text;
        }

        // Longest first: a secret may be a part of another one.
        foreach (var secret in Spellings(password.Reveal()).Concat(SecretsIn(sentSql)).Distinct().OrderByDescending(s => s.Length))
        {
            text = text.Replace(secret, Secret.Mask, StringComparison.Ordinal);
        }

        return Apply(text);
    }

    /// <summary>The text without what looks like a secret in it, such as the password of a CREATE USER.</summary>
    public static string Apply(string text)
    {
        // From the back, so that the places before stay true.
        foreach (var (start, length) in Places(text).OrderByDescending(p => p.Start))
        {
            text = string.Concat(text.AsSpan(0, start), Secret.Mask, text.AsSpan(start + length));
        }

        return text;
    }

    private static IEnumerable<string> SecretsIn(string sql)
        => Places(sql)
            .Select(p => sql.Substring(p.Start, p.Length))
            .SelectMany(raw => Spellings(Unescape(raw)).Append(raw))
            .Where(s => s.Length >= ShortestFoundSecret && s != "default");

    // As it is, as it stands in a literal (two ways), and as it stands in a URL.
    private static IEnumerable<string> Spellings(string secret)
        => secret.Length == 0 ? [] : [secret, Sql.Literal(secret)[1..^1], secret.Replace("'", "''"), Uri.EscapeDataString(secret)];

    private static string Unescape(string raw) => raw.Replace("''", "'").Replace(@"\'", "'").Replace(@"\\", @"\");

    private static List<(int Start, int Length)> Places(string text)
    {
        var named = AfterName().Matches(text).Concat(InUrl().Matches(text)).Select(m => m.Groups["secret"]);
        var passed = Call().Matches(text).SelectMany(call => PassedLiterals(text, call.Index + call.Length).Skip(1));
        return [.. named.Select(g => (Start: g.Index, g.Length)).Concat(passed).Where(p => p.Length > 0).Distinct()];
    }

    /// <summary>The insides of the literals up to the closing parenthesis, or to the end of a text that was cut off.</summary>
    private static IEnumerable<(int Start, int Length)> PassedLiterals(string text, int start)
    {
        var depth = 1;
        for (var i = start; i < text.Length && depth > 0; i++)
        {
            if (text[i] == '\'')
            {
                var literal = LiteralAt().Match(text, i).Groups["inside"];
                yield return (literal.Index, literal.Length);
                i = literal.Index + literal.Length;
            }
            else
            {
                depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            }
        }
    }

    // PASSWORD 'x', IDENTIFIED WITH … BY 'x', secret_access_key = 'x', "password": 'x'; an unended literal counts to the end.
    // Nothing may match before the keyword: it would make a long word cost the square of its length.
    [GeneratedRegex(
        @"(passw\w*|pwd|identified(\s+with\s+\w+)?\s+by|secret\w*|access_key\w*|account_key|api_?key|token)\b[\s""`]*[=:]?\s*'(?<secret>([^'\\]|\\.|'')*)",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex AfterName();

    [GeneratedRegex(@"://[^\s/:@']*:(?<secret>[^\s/@']+)@", RegexOptions.ExplicitCapture)]
    private static partial Regex InUrl();

    // Functions and engines whose later arguments hold users, keys and passwords; the first is an address.
    [GeneratedRegex(
        @"\b(remote|remoteSecure|s3\w*|gcs|oss|cosn|mysql|postgresql|materialized\w+|mongodb|redis|azure\w+|iceberg\w*|deltaLake\w*|hudi\w*|odbc|jdbc)\s*\(",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Call();

    [GeneratedRegex(@"\G'(?<inside>([^'\\]|\\.|'')*)", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex LiteralAt();
}
