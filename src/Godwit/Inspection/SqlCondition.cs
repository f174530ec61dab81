using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>
/// Looks whether a text can be put into brackets behind WHERE and stays in there. The server says what it means; here it is only made sure that it is
/// one expression over the table's own columns: no second statement, no subquery, nothing that the server would read otherwise than
/// <see cref="SqlText"/> does.
/// </summary>
internal static class SqlCondition
{
    private const string Known = "()[],.+-*/%=!<>|:";

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public static string? Problem(string text)
    {
        // The blank shows whether the last quote is closed: an open one takes it in.
        var tokens = SqlText.Tokens(text + " ");
        if (tokens.Count == 0)
        {
            return "The condition is empty: write an expression, such as team_id = 2.";
        }

        if (tokens[^1].End > text.Length)
        {
            return Not(text, "a quote is not closed");
        }

        if (!IsBalanced(text, tokens))
        {
            return Not(text, "its brackets do not match");
        }

        if (tokens.Any(t => t.IsWord(text, "SELECT")))
        {
            return Not(text, "it holds a subquery, which would read other tables");
        }

        return HasComment(text, tokens) ? Not(text, "it holds a comment")
            : tokens.Select(t => Stranger(text, t)).FirstOrDefault(c => c is not null) is { } stranger ? Not(text, $"{stranger} stands in it outside quotes; a column of such a name stands in backticks")
            : null;
    }

    private static string Not(string text, string why) => $"'{text}' is not an expression that rows can be chosen by: {why}.";

    private static bool IsBalanced(string text, List<SqlText.Token> tokens)
    {
        Stack<char> open = [];
        foreach (var token in tokens.Where(t => t.Kind == SqlText.TokenKind.Punctuation))
        {
            switch (text[token.Start])
            {
                case '(' or '[':
                    open.Push(text[token.Start]);
                    break;
                case ')' or ']' when !open.TryPop(out var opening) || (opening == '(') != (text[token.Start] == ')'):
                    return false;
                default:
                    break;
            }
        }

        return open.Count == 0;
    }

    // What is between two tokens and no blank was skipped as a comment; two slashes begin one for servers that know it.
    private static bool HasComment(string text, List<SqlText.Token> tokens)
    {
        var end = 0;
        var before = ' ';
        foreach (var token in tokens)
        {
            if (!string.IsNullOrWhiteSpace(text[end..token.Start]) || (before == '/' && text[token.Start] == '/' && end == token.Start))
            {
                return true;
            }

            (end, before) = (token.End, text[token.Start]);
        }

        return !string.IsNullOrWhiteSpace(text[end..]);
    }

    // Words with a dollar may begin a text of many lines, and there are quotes that are not ASCII.
    private static char? Stranger(string text, SqlText.Token token)
    {
        foreach (var c in token.Kind is SqlText.TokenKind.String or SqlText.TokenKind.Quoted ? "" : text[token.Start..token.End])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_' && !Known.Contains(c, StringComparison.Ordinal))
            {
                return c;
            }
        }

        return null;
    }
}
