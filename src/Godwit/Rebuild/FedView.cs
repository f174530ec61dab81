using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>A materialized view that is fed by inserts into a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Target">The table that it fills.</param>
/// <param name="Select">Its SELECT.</param>
internal sealed record FedView(QualifiedName Name, QualifiedName Target, string Select)
{
    /// <summary>The views that inserts into a table feed.</summary>
    public static async Task<IReadOnlyList<FedView>> FindAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync(
            $"""
             SELECT database, name, uuid, create_table_query, as_select FROM system.tables
             WHERE engine = 'MaterializedView' AND (database, name) IN (
                 SELECT arrayJoin(arrayZip(dependencies_database, dependencies_table)) FROM system.tables WHERE {TableReader.Where(table, "name")})
             ORDER BY database, name
             """,
            ct: ct);
        return rows.Select(r => Read(new QualifiedName(r["database"], r["name"]), r["uuid"], r["create_table_query"], r["as_select"])).OfType<FedView>().ToList();
    }

    /// <summary>Reads a view from its definition; null when it is refreshed by a clock and not fed by inserts.</summary>
    internal static FedView? Read(QualifiedName name, string uuid, string create, string select)
    {
        select = select.Length > 0 ? select : SelectOf(create);
        var head = create.EndsWith(select, StringComparison.Ordinal) ? create[..^select.Length] : create;
        var words = SqlText.Tokens(head).Where(t => t.Depth == 0).ToList();
        if (words.Exists(t => t.IsWord(head, "REFRESH")))
        {
            return null;
        }

        var to = words.FindIndex(t => t.IsWord(head, "TO"));
        var target = to < 0 ? null : NameAt(head, words, to + 1).Name;
        var inner = uuid.Length == 0 || uuid == Guid.Empty.ToString() ? $".inner.{name.Table}" : $".inner_id.{uuid}";
        return new FedView(name, target ?? name with { Table = inner }, select);
    }

    // Old servers tell it only as a part of the definition.
    private static string SelectOf(string create)
    {
        var tokens = SqlText.Tokens(create);
        var at = tokens.FindIndex(t => t.Depth == 0 && t.IsWord(create, "AS"));
        return at >= 0 && at + 1 < tokens.Count ? create[tokens[at + 1].Start..] : "";
    }

    /// <summary>The columns that it fills: a column of its SELECT that the target does not have is left out, as the server does.</summary>
    public async Task<IReadOnlyList<string>> ColumnsAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var insertable = (await gateway.QueryAsync(
            $"SELECT name FROM system.columns WHERE {TableReader.Where(Target, "table")} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')", ct: ct)).Select(r => r["name"]);
        return (await gateway.QueryAsync($"DESCRIBE TABLE ({Select})", ct: ct)).Select(r => r["name"]).Intersect(insertable, StringComparer.Ordinal).ToList();
    }

    /// <summary>Why it could not be fed with rows of a table; null when it could.</summary>
    public async Task<string?> ObstacleAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct)
    {
        if (Over(table, table) is null)
        {
            return $"it does not read {table} directly";
        }

        try
        {
            return (await ColumnsAsync(gateway, ct)).Count == 0 ? $"it fills no column of {Target}"
                : await gateway.ScalarAsync<long>($"CHECK GRANT INSERT ON {Target.ToSql()}", ct: ct) == 0 ? $"INSERT on {Target} is not granted"
                : null;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return $"the server refuses its SELECT ({e.ServerMessage})";
        }
    }

    /// <summary>Its SELECT over another table than the one that feeds it; null when it is not plain which of its tables that is.</summary>
    internal string? Over(QualifiedName from, QualifiedName to)
    {
        var tokens = SqlText.Tokens(Select);
        var depth = 0;
        for (var i = 0; i + 1 < tokens.Count; i++)
        {
            if (!tokens[i].IsWord(Select, "FROM") || tokens[i].Depth != depth)
            {
                continue;
            }

            if (Select[tokens[i + 1].Start] == '(')
            {
                // The table is the one that the subquery reads.
                depth++;
                continue;
            }

            var (name, last) = NameAt(Select, tokens, i + 1);
            if (name != from)
            {
                return null;
            }

            // Columns may be written with the table's name before them.
            var hasAlias = last + 1 < tokens.Count && tokens[last + 1].IsWord(Select, "AS");
            return Select[..tokens[i + 1].Start] + to.ToSql() + (hasAlias ? "" : $" AS {Sql.Identifier(from.Table)}") + Select[tokens[last].End..];
        }

        return null;
    }

    private static (QualifiedName? Name, int Last) NameAt(string text, List<SqlText.Token> tokens, int first)
    {
        var last = first;
        while (last + 1 < tokens.Count && tokens[last + 1].Start == tokens[last].End && (tokens[last + 1].Kind != SqlText.TokenKind.Punctuation || text[tokens[last + 1].Start] == '.'))
        {
            last++;
        }

        return first < tokens.Count && QualifiedName.TryParse(text[tokens[first].Start..tokens[last].End], out var name, out _) ? (name, last) : (null, last);
    }
}
