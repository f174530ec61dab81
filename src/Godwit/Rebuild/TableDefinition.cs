using System.Text;
using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>What stands between the brackets of a CREATE TABLE: a column, an index, a projection or a constraint.</summary>
/// <param name="Kind">COLUMN, INDEX, PROJECTION or CONSTRAINT.</param>
/// <param name="Name">Its name, unquoted.</param>
/// <param name="Text">Its whole text as it stands in the statement.</param>
public sealed record TableElement(string Kind, string Name, string Text);

/// <summary>A CREATE TABLE statement cut into its parts, so that single parts can be compared and replaced.</summary>
public sealed record TableDefinition
{
    private static readonly string[][] ClauseWords =
        [["ENGINE"], ["PARTITION", "BY"], ["PRIMARY", "KEY"], ["ORDER", "BY"], ["SAMPLE", "BY"], ["TTL"], ["SETTINGS"], ["COMMENT"]];

    /// <summary>Columns, indexes, projections and constraints in their order.</summary>
    public required IReadOnlyList<TableElement> Elements { get; init; }

    /// <summary>The engine with its arguments, such as <c>ReplacingMergeTree(version)</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>The PARTITION BY expression; null when there is none. The same holds for the other clauses.</summary>
    public string? PartitionBy { get; init; }

    /// <summary>The PRIMARY KEY expression where it is not simply the sorting key.</summary>
    public string? PrimaryKey { get; init; }

    /// <summary>The ORDER BY expression.</summary>
    public string? OrderBy { get; init; }

    /// <summary>The SAMPLE BY expression.</summary>
    public string? SampleBy { get; init; }

    /// <summary>The table's TTL.</summary>
    public string? Ttl { get; init; }

    /// <summary>Table settings: name and value as SQL.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The table's comment as a SQL string literal.</summary>
    public string? Comment { get; init; }

    /// <summary>The columns among <see cref="Elements"/>.</summary>
    public IEnumerable<TableElement> Columns => Elements.Where(e => e.Kind == "COLUMN");

    /// <summary>Cuts a CREATE TABLE statement; the table's name in it is not kept.</summary>
    /// <exception cref="FormatException">It is not a CREATE TABLE with a list of columns and an engine.</exception>
    public static TableDefinition Parse(string createTable)
    {
        var tokens = SqlText.Tokens(createTable);
        var open = tokens.FindIndex(t => t is { Depth: 0, Kind: SqlText.TokenKind.Punctuation } && createTable[t.Start] == '(');
        var close = open < 0 ? -1 : tokens.FindIndex(open + 1, t => t.Depth == 0 && createTable[t.Start] == ')');
        if (close < 0 || !tokens[0].IsWord(createTable, "CREATE") || !tokens.Take(open).Any(t => t.IsWord(createTable, "TABLE")))
        {
            throw new FormatException("This is not a CREATE TABLE statement with a list of columns in brackets.");
        }

        if (tokens.Take(open).Any(t => t.IsWord(createTable, "AS")) || tokens.Skip(close).Any(t => t.Depth == 0 && t.IsWord(createTable, "AS")))
        {
            throw new FormatException("CREATE TABLE … AS cannot be used here: write the columns out.");
        }

        var clauses = Clauses(createTable, tokens, close + 1);
        return new TableDefinition
        {
            Elements = SqlText.SplitByComma(createTable[tokens[open].End..tokens[close].Start]).Select(ParseElement).ToList(),
            Engine = clauses.GetValueOrDefault("ENGINE")?.TrimStart('=').Trim()
                ?? throw new FormatException("The CREATE TABLE statement names no ENGINE."),
            PartitionBy = clauses.GetValueOrDefault("PARTITION"),
            PrimaryKey = clauses.GetValueOrDefault("PRIMARY"),
            OrderBy = clauses.GetValueOrDefault("ORDER"),
            SampleBy = clauses.GetValueOrDefault("SAMPLE"),
            Ttl = clauses.GetValueOrDefault("TTL"),
            Settings = ParseSettings(clauses.GetValueOrDefault("SETTINGS")),
            Comment = clauses.GetValueOrDefault("COMMENT"),
        };
    }

    /// <summary>One element of the column list.</summary>
    /// <exception cref="FormatException">It has no name.</exception>
    public static TableElement ParseElement(string text)
    {
        var tokens = SqlText.Tokens(text);
        string Text(int i) => text[tokens[i].Start..tokens[i].End];
        if (tokens.Count < 2 || tokens[0].Kind is SqlText.TokenKind.Punctuation or SqlText.TokenKind.String)
        {
            throw new FormatException($"'{text}' is not a definition: write a name and a type, such as: country LowCardinality(String).");
        }

        var isOther = tokens[0].Kind == SqlText.TokenKind.Word && Text(0).ToUpperInvariant() is "INDEX" or "PROJECTION" or "CONSTRAINT";
        return isOther && tokens.Count > 2
            ? new TableElement(Text(0).ToUpperInvariant(), SqlText.Unquote(Text(1)), text.Trim())
            : new TableElement("COLUMN", SqlText.Unquote(Text(0)), text.Trim());
    }

    /// <summary>The CREATE TABLE statement for a table of this definition.</summary>
    /// <param name="head">What stands before the column list, such as <c>CREATE TABLE `db`.`t`</c>.</param>
    /// <param name="settings">Settings that replace or come on top of the definition's; a null value takes one away.</param>
    public string ToSql(string head, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var sql = new StringBuilder(head).Append(" (").AppendJoin(", ", Elements.Select(e => e.Text)).Append(") ENGINE = ").Append(Engine);
        void Clause(string words, string? value)
        {
            if (value is not null)
            {
                sql.Append(' ').Append(words).Append(' ').Append(value);
            }
        }

        Clause("PARTITION BY", PartitionBy);
        Clause("PRIMARY KEY", PrimaryKey);
        Clause("ORDER BY", OrderBy);
        Clause("SAMPLE BY", SampleBy);
        Clause("TTL", Ttl);
        var merged = With(settings);
        Clause("SETTINGS", merged.Count == 0 ? null : string.Join(", ", merged.Select(s => $"{s.Key} = {s.Value}")));
        Clause("COMMENT", Comment);
        return sql.ToString();
    }

    /// <summary>The CREATE TABLE statement for a named table.</summary>
    public string ToSql(QualifiedName name, IReadOnlyDictionary<string, string?>? settings = null) => ToSql($"CREATE TABLE {name.ToSql()}", settings);

    private SortedDictionary<string, string> With(IReadOnlyDictionary<string, string?>? changes)
    {
        SortedDictionary<string, string> merged = new(Settings.ToDictionary(), StringComparer.Ordinal);
        foreach (var (name, value) in changes ?? new Dictionary<string, string?>())
        {
            if (value is null)
            {
                merged.Remove(name);
            }
            else
            {
                merged[name] = value;
            }
        }

        return merged;
    }

    private static Dictionary<string, string> Clauses(string text, List<SqlText.Token> tokens, int from)
    {
        Dictionary<string, string> clauses = [];
        string? current = null;
        var start = 0;
        for (var i = from; i < tokens.Count; i++)
        {
            var words = tokens[i].Depth != 0 ? null : Array.Find(ClauseWords, w => StartsHere(text, tokens, i, w));
            if (words is null)
            {
                continue;
            }

            Keep(tokens[i].Start);
            current = words[0];
            i += words.Length - 1;
            start = tokens[i].End;
        }

        Keep(text.Length);
        return clauses;

        void Keep(int end)
        {
            if (current is not null)
            {
                clauses[current] = text[start..end].Trim().TrimEnd(';').Trim();
            }
        }
    }

    private static bool StartsHere(string text, List<SqlText.Token> tokens, int at, string[] words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (at + i >= tokens.Count || !tokens[at + i].IsWord(text, words[i]))
            {
                return false;
            }
        }

        // "COMMENT" and "TTL" may also be the name of a setting or a column in an expression.
        return words[0] != "COMMENT" || (at + 1 < tokens.Count && tokens[at + 1].Kind == SqlText.TokenKind.String);
    }

    private static SortedDictionary<string, string> ParseSettings(string? text)
    {
        SortedDictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (var setting in SqlText.SplitByComma(text ?? string.Empty))
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException($"'{setting}' is not a setting: write name=value.");
            }

            settings[setting[..equals].Trim()] = setting[(equals + 1)..].Trim();
        }

        return settings;
    }
}
