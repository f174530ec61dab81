using System.Buffers;

namespace Godwit.Rebuild;

/// <summary>
/// Finds words, commas and brackets of a SQL text that stand outside strings, quoted names and comments. It is not a parser:
/// the server parses; this only cuts a text that the server has already formatted, or that it will check, into its clauses.
/// </summary>
internal static class SqlText
{
    private static readonly SearchValues<char> ReadOtherwise = SearchValues.Create("$#\u2018\u2019\u201C\u201D");

    /// <summary>A word or a single punctuation character, and how deep in brackets it stands.</summary>
    internal readonly record struct Token(int Start, int End, int Depth, TokenKind Kind)
    {
        public bool IsWord(string text, string word) =>
            Kind == TokenKind.Word && text.AsSpan(Start, End - Start).Equals(word, StringComparison.OrdinalIgnoreCase);
    }

    internal enum TokenKind
    {
        Word,
        Quoted,
        String,
        Punctuation,
    }

    /// <summary>All tokens in order; comments and blanks are left out. A closing bracket has the depth of its opening one.</summary>
    public static List<Token> Tokens(string text)
    {
        List<Token> tokens = [];
        var depth = 0;
        var at = 0;
        while (at < text.Length)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
                continue;
            }

            var end = SkipComment(text, at);
            if (end > at)
            {
                at = end;
                continue;
            }

            if (c is ')' or ']')
            {
                depth--;
            }

            (end, var kind) = End(text, at);
            tokens.Add(new Token(at, end, depth, kind));
            if (c is '(' or '[')
            {
                depth++;
            }

            at = end;
        }

        return tokens;
    }

    /// <summary>
    /// Whether a text can be put into a statement without going on into what follows it: brackets, quotes and comments that it opens it closes,
    /// and it closes no others. What is read in another way by servers (heredocs, # and typographic quotes) is taken for no.
    /// </summary>
    public static bool IsWhole(string text)
    {
        var (own, followed) = (Tokens(text), Tokens($"{text} x"));
        return followed.Count == own.Count + 1 && followed[^1].Depth == 0
            && own.TrueForAll(t => t.Depth >= 0 && (t.Kind is TokenKind.String or TokenKind.Quoted || text.AsSpan(t.Start, t.End - t.Start).IndexOfAny(ReadOtherwise) < 0));
    }

    /// <summary>Cuts at the commas that stand outside all brackets.</summary>
    public static List<string> SplitByComma(string text)
    {
        List<string> parts = [];
        var start = 0;
        foreach (var token in Tokens(text))
        {
            if (token.Depth == 0 && text[token.Start] == ',' && token.Kind == TokenKind.Punctuation)
            {
                parts.Add(text[start..token.Start].Trim());
                start = token.End;
            }
        }

        var last = text[start..].Trim();
        if (last.Length > 0 || parts.Count > 0)
        {
            parts.Add(last);
        }

        return parts;
    }

    /// <summary>The name, or the text, that a quoted or plain token stands for.</summary>
    public static string Unquote(string token)
    {
        if (token.Length < 2 || token[0] is not ('`' or '"' or '\''))
        {
            return token;
        }

        var quote = token[0];
        var result = new System.Text.StringBuilder(token.Length);
        for (var i = 1; i < token.Length - 1; i++)
        {
            if ((token[i] == '\\' || token[i] == quote) && i + 1 < token.Length - 1)
            {
                i++;
            }

            result.Append(token[i]);
        }

        return result.ToString();
    }

    /// <summary>One expression: a list without brackets gets them, so that <c>a, b</c> can stand where one expression is wanted.</summary>
    public static string AsOneExpression(string expression) =>
        SplitByComma(expression).Count > 1 ? $"({expression.Trim()})" : expression.Trim();

    /// <summary>The expressions of a tuple, written with brackets or as <c>tuple(…)</c>, without these; any other expression as it is.</summary>
    public static string WithoutBrackets(string expression)
    {
        var tokens = Tokens(expression);
        var open = tokens.Count > 0 && tokens[0].IsWord(expression, "tuple") ? 1 : 0;
        if (tokens.Count < open + 2 || expression[tokens[open].Start] != '(')
        {
            return expression.Trim();
        }

        var close = tokens.FindIndex(open + 1, t => t.Depth == 0 && expression[t.Start] == ')');
        return close == tokens.Count - 1 ? expression[tokens[open].End..tokens[close].Start].Trim() : expression.Trim();
    }

    private static (int End, TokenKind Kind) End(string text, int at) => text[at] switch
    {
        '\'' => (SkipQuoted(text, at), TokenKind.String),
        '`' or '"' => (SkipQuoted(text, at), TokenKind.Quoted),
        var c when IsWordCharacter(c) => (SkipWord(text, at), TokenKind.Word),
        _ => (at + 1, TokenKind.Punctuation),
    };

    private static int SkipComment(string text, int at)
    {
        if (text[at] == '-' && at + 1 < text.Length && text[at + 1] == '-')
        {
            var end = text.IndexOf('\n', at);
            return end < 0 ? text.Length : end + 1;
        }

        if (text[at] == '/' && at + 1 < text.Length && text[at + 1] == '*')
        {
            var end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return end < 0 ? text.Length : end + 2;
        }

        return at;
    }

    private static int SkipQuoted(string text, int at)
    {
        var quote = text[at];
        for (var i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == quote)
            {
                if (i + 1 < text.Length && text[i + 1] == quote)
                {
                    i++;
                }
                else
                {
                    return i + 1;
                }
            }
        }

        return text.Length;
    }

    private static int SkipWord(string text, int at)
    {
        while (at < text.Length && IsWordCharacter(text[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsWordCharacter(char c) => char.IsLetterOrDigit(c) || c is '_' or '$' or '.';
}
