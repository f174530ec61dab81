using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>A name in a SQL text: its parts between the dots, unquoted, and the tokens that it is made of.</summary>
/// <param name="Parts">Its parts.</param>
/// <param name="First">The first token.</param>
/// <param name="Last">The last token.</param>
internal sealed record SqlName(IReadOnlyList<string> Parts, int First, int Last);

/// <summary>Finds names in a text that the server has formatted.</summary>
internal static class SqlNames
{
    /// <summary>The name that begins at a token; null when none does.</summary>
    public static SqlName? At(string text, List<SqlText.Token> tokens, int at)
    {
        if (tokens[at].Kind is not (SqlText.TokenKind.Word or SqlText.TokenKind.Quoted))
        {
            return null;
        }

        var last = at;
        while (last + 1 < tokens.Count && tokens[last + 1].Start == tokens[last].End && tokens[last + 1].Kind is SqlText.TokenKind.Word or SqlText.TokenKind.Quoted)
        {
            last++;
        }

        List<string> parts = [""];
        for (var i = at; i <= last; i++)
        {
            var token = text[tokens[i].Start..tokens[i].End];
            if (tokens[i].Kind == SqlText.TokenKind.Quoted)
            {
                parts[^1] += Unquote(token);
                continue;
            }

            var pieces = token.Split('.');
            parts[^1] += pieces[0];
            parts.AddRange(pieces.Skip(1));
        }

        return new SqlName(parts, at, last);
    }

    /// <summary>What a name as the server writes it stands for.</summary>
    public static string Unquote(string token) => token.Length >= 2 && token[0] is '`' or '"' ? TabSeparated.Unescape(token[1..^1])! : token;
}
