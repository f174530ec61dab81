using System.Diagnostics.CodeAnalysis;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Inspection;

/// <summary>A table, or all tables of a database whose names match a pattern, which are read as one by the server's <c>merge()</c>.</summary>
public sealed record TableOrPattern
{
    private readonly QualifiedName _name;
    private readonly bool _isPattern;

    /// <summary>One table.</summary>
    public TableOrPattern(QualifiedName table) => _name = table;

    private TableOrPattern(string database, string pattern) => (_name, _isPattern) = (new QualifiedName(database, pattern), true);

    /// <summary>The database.</summary>
    public string Database => _name.Database;

    /// <summary>The tables whose names match, by a regular expression as the server understands it (RE2); it may match anywhere in a name.</summary>
    public static TableOrPattern Matching(string database, string pattern) => new(database, pattern);

    /// <summary>Reads <c>db.table</c>, or <c>db./pattern/</c>; quoting is that of <see cref="QualifiedName.Parse"/>.</summary>
    /// <exception cref="FormatException">With a sentence that shows how it is written.</exception>
    public static TableOrPattern Parse(string text) => TryParse(text, out var value, out var error) ? value : throw new FormatException(error);

    /// <summary>Like <see cref="Parse"/>, with the sentence in <paramref name="error"/> instead of an exception.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TableOrPattern? value, [NotNullWhen(false)] out string? error)
    {
        var whole = (text ?? "").Trim();
        value = null;
        if (QualifiedName.TryParse(whole, out var table, out error))
        {
            value = new TableOrPattern(table);
        }

        // A quoted database may itself hold what begins a pattern.
        for (var at = whole.IndexOf("./", StringComparison.Ordinal); value is null && at >= 0 && whole.EndsWith('/'); at = whole.IndexOf("./", at + 1, StringComparison.Ordinal))
        {
            if (whole.Length > at + 3 && QualifiedName.TryParse($"{whole[..at]}.t", out var any, out _))
            {
                value = new TableOrPattern(any.Database, whole[(at + 2)..^1]);
            }
        }

        error = value is null ? error + " A pattern of names stands in slashes, like db./^events_/." : null;
        return value is not null;
    }

    /// <summary>That nothing is there under this name.</summary>
    internal string Missing(string node) => _isPattern
        ? $"No table of {new QualifiedName(_name.Database, "t").ToString()[..^2]} on {node} has a name that matches {_name.Table}. Check the pattern (RE2; it may match anywhere in a name), the database and the user's rights."
        : $"There is no table {this} on {node}. Check the name (and its quoting: \"my.db\".\"my.table\") and the user's rights.";

    /// <summary>What stands behind FROM.</summary>
    internal string ToSql() => _isPattern ? $"merge({Sql.Literal(_name.Database)}, {Sql.Literal(_name.Table)})" : _name.ToSql();

    /// <summary>The condition that finds the tables in a system table.</summary>
    internal string Where(string tableColumn) => _isPattern
        ? $"database = {Sql.Literal(_name.Database)} AND match({tableColumn}, {Sql.Literal(_name.Table)})"
        : TableReader.Where(_name, tableColumn);

    /// <summary>For people, and for <see cref="Parse"/>.</summary>
    public override string ToString() => _isPattern ? $"{new QualifiedName(_name.Database, "t").ToString()[..^1]}/{_name.Table}/" : _name.ToString();
}
