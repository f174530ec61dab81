using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>A materialized view that is fed by inserts into the table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Target">The table that it fills.</param>
/// <param name="Columns">Its list of columns as SQL, with brackets.</param>
/// <param name="Select">Its SELECT.</param>
internal sealed record FedView(QualifiedName Name, QualifiedName Target, string Columns, string Select);

/// <summary>
/// An insert first finds its table by name, and some time later that table's views, by the name that the table has then. One that is
/// between the two when the names change hands finds no view at all: its rows reach the old table and no view (tried on 26.7 with an
/// INSERT … SELECT whose scalar subquery sleeps). So each view gets a twin which reads from the staging name and fills the same
/// target. Nobody inserts into that name, so the twin does nothing but for these inserts. What stays is the server's own gap: it takes
/// the views off both names for the milliseconds of the exchange (bench/Godwit.Bench measures how often an
/// insert meets it).
/// </summary>
internal static class ViewTwins
{
    /// <summary>Makes the twins of all views; called right before an exchange. They are dropped with the run's landing tables.</summary>
    /// <exception cref="StepFailedException">A view cannot be doubled, and nobody has accepted that.</exception>
    public static async Task CreateAsync(StepContext context, RebuildSpec spec, CancellationToken ct)
    {
        List<string> statements = [];
        foreach (var view in await FindAsync(context.Gateway, spec.Source, ct))
        {
            var twin = spec.Staging with { Table = string.Create(CultureInfo.InvariantCulture, $"{spec.Staging.Table}_v{statements.Count / 2}") };
            if (Redirect(view.Select, spec.Source, spec.Staging) is { } select)
            {
                statements.Add($"DROP TABLE IF EXISTS {twin.ToSql()} SYNC");
                statements.Add($"CREATE MATERIALIZED VIEW {twin.ToSql()} TO {view.Target.ToSql()} {view.Columns} AS {select}");
            }
            else if (!spec.AcceptsViewRace)
            {
                throw new StepFailedException(
                    $"The materialized view {view.Name} reads {spec.Source} in a way that cannot be doubled for the moment of the exchange, and it was not there when the plan was made. "
                    + "DETACH it and `resume`, or `rollback` and start again.");
            }
        }

        if (statements.Count > 0)
        {
            await context.ChangeAsync("twin-views", statements, null, ct);
        }
    }

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
        var head = create.EndsWith(select, StringComparison.Ordinal) ? create[..^select.Length] : create;
        var words = SqlText.Tokens(head).Where(t => t.Depth == 0).ToList();
        if (words.Exists(t => t.IsWord(head, "REFRESH")))
        {
            return null;
        }

        var to = words.FindIndex(t => t.IsWord(head, "TO"));
        var target = to < 0 ? null : NameAt(head, words, to + 1).Name;
        var open = words.FindIndex(Math.Max(to, 0), t => head[t.Start] == '(');
        var close = open < 0 ? -1 : words.FindIndex(open, t => head[t.Start] == ')');
        return new FedView(
            name,
            target ?? name with { Table = $".inner_id.{uuid}" },
            close < 0 ? "" : head[words[open].Start..words[close].End],
            select);
    }

    /// <summary>The same SELECT, fed by inserts into another table; null when it is not plain which of its tables feeds it.</summary>
    internal static string? Redirect(string select, QualifiedName from, QualifiedName to)
    {
        var tokens = SqlText.Tokens(select);
        var depth = 0;
        for (var i = 0; i + 1 < tokens.Count; i++)
        {
            if (!tokens[i].IsWord(select, "FROM") || tokens[i].Depth != depth)
            {
                continue;
            }

            if (select[tokens[i + 1].Start] == '(')
            {
                // The table is the one that the subquery reads.
                depth++;
                continue;
            }

            var (name, last) = NameAt(select, tokens, i + 1);
            if (name != from)
            {
                return null;
            }

            // Columns may be written with the table's name before them.
            var hasAlias = last + 1 < tokens.Count && tokens[last + 1].IsWord(select, "AS");
            return select[..tokens[i + 1].Start] + to.ToSql() + (hasAlias ? "" : $" AS {Sql.Identifier(from.Table)}") + select[tokens[last].End..];
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
