using System.Text;

namespace Godwit.ClickHouse;

/// <summary>The format that rows are read in: every server has it, and it is streamed line by line.</summary>
internal static class TabSeparated
{
    public const string Format = "TabSeparatedWithNamesAndTypes";

    /// <summary>A line's fields, unescaped; null is NULL.</summary>
    public static string?[] Split(string line)
    {
        var raw = line.Split('\t');
        var fields = new string?[raw.Length];
        for (var i = 0; i < raw.Length; i++)
        {
            fields[i] = Unescape(raw[i]);
        }

        return fields;
    }

    /// <summary>A field's value. Only the bare <c>\N</c> is NULL: the two characters themselves arrive as <c>\\N</c>.</summary>
    public static string? Unescape(string field)
    {
        if (field == @"\N")
        {
            return null;
        }

        var slash = field.IndexOf('\\', StringComparison.Ordinal);
        if (slash < 0)
        {
            return field;
        }

        var text = new StringBuilder(field, 0, slash, field.Length);
        for (var i = slash; i < field.Length; i++)
        {
            text.Append(field[i] == '\\' && i + 1 < field.Length ? Escaped(field[++i]) : field[i]);
        }

        return text.ToString();
    }

    // Any other character after a backslash stands for itself: \\ and \' among them.
    private static char Escaped(char c) => c switch
    {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        'b' => '\b',
        'f' => '\f',
        'a' => '\a',
        'v' => '\v',
        _ => c,
    };
}
