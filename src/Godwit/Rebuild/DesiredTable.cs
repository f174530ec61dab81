using Godwit.ClickHouse;

namespace Godwit.Rebuild;

/// <summary>The wish, as the server understands it.</summary>
/// <param name="Definition">The definition as the server formats it.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="SortingKey">Its sorting key's expressions.</param>
internal sealed record DesiredTable(TableDefinition Definition, IReadOnlyList<TableColumn> Columns, string SortingKey)
{
    private const string Probe = "godwit_probe";

    /// <summary>The definition that a request asks for, before the server has seen it.</summary>
    /// <exception cref="FormatException">A part of the request cannot be cut into its pieces.</exception>
    public static TableDefinition Of(RebuildRequest request, TableDefinition source)
    {
        if (request.Ddl is not null)
        {
            var wish = TableDefinition.Parse(request.Ddl);

            // What a person does not write stays as the server has it.
            SortedDictionary<string, string> all = new(wish.Settings.ToDictionary(), StringComparer.Ordinal);
            foreach (var (name, value) in wish.Settings.Count == 0 ? source.Settings : source.Settings.Where(s => s.Key == "index_granularity"))
            {
                all.TryAdd(name, value);
            }

            return wish with { Settings = all };
        }

        var settings = new SortedDictionary<string, string>(source.Settings.ToDictionary(), StringComparer.Ordinal);
        foreach (var setting in request.Settings)
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException($"'{setting}' is not a setting: write --setting name=value.");
            }

            settings[setting[..equals].Trim()] = AsLiteral(setting[(equals + 1)..].Trim());
        }

        return source with
        {
            Elements = Elements(request, source),
            Engine = request.Engine ?? source.Engine,
            OrderBy = Clause(request.OrderBy) ?? source.OrderBy,
            PrimaryKey = Clause(request.PrimaryKey) ?? source.PrimaryKey,
            PartitionBy = Clause(request.PartitionBy) ?? source.PartitionBy,
            SampleBy = Clause(request.SampleBy) ?? source.SampleBy,
            Ttl = request.Ttl ?? source.Ttl,
            Settings = settings,
        };
    }

    /// <summary>
    /// Lets the server check and format a definition with a temporary table, which leaves nothing behind whatever happens.
    /// </summary>
    /// <param name="gateway">The server.</param>
    /// <param name="wish">The definition.</param>
    /// <param name="alters">ALTER commands that are done to it.</param>
    /// <param name="ct">Cancels it.</param>
    /// <param name="source">The table that a wish of a person is about; null when the server has written the definition.</param>
    /// <exception cref="ClickHouseException">The server refuses the definition.</exception>
    public static async Task<DesiredTable> ProbeTemporaryAsync(ClickHouseGateway gateway, TableDefinition wish, IReadOnlyList<string> alters, CancellationToken ct, TableDefinition? source = null)
    {
        // What Nested means in a person's text is what it means in the table as it is: the server flattens it unless told otherwise.
        var session = new QueryOptions { SessionId = $"godwit-{Guid.NewGuid():N}", Settings = HelperTables.CreateSettings(source ?? wish) };

        // A storage policy and a Keeper path belong to real tables only.
        await gateway.ExecuteAsync(wish.ToSql($"CREATE TEMPORARY TABLE {Probe}"), session, ct);
        foreach (var alter in alters)
        {
            await gateway.ExecuteAsync($"ALTER TEMPORARY TABLE {Probe} {alter}", session, ct);
        }

        var table = (await gateway.QueryAsync(
            $"SELECT create_table_query FROM system.tables WHERE is_temporary AND name = '{Probe}'", session, ct)).Single();
        var columns = await TableReader.ReadColumnsAsync(gateway, $"table = '{Probe}' AND database = ''", session, ct);
        await gateway.ExecuteAsync($"DROP TEMPORARY TABLE {Probe}", session, ct);
        var definition = TableDefinition.Parse(table["create_table_query"]);
        return new DesiredTable(definition, columns, SortingKeyOf(definition));
    }

    /// <summary>The same for a server that has no temporary tables of these engines: with a real one, for a moment.</summary>
    /// <param name="gateway">The server.</param>
    /// <param name="wish">The definition.</param>
    /// <param name="name">The table; nothing else has that name.</param>
    /// <param name="ct">Cancels it.</param>
    /// <exception cref="ClickHouseException">The server refuses the definition.</exception>
    public static async Task<DesiredTable> ProbeRealAsync(ClickHouseGateway gateway, TableDefinition wish, QualifiedName name, CancellationToken ct)
    {
        try
        {
            await gateway.ExecuteAsync(wish.ToSql(name), new QueryOptions { Settings = await Known.SettingsAsync(gateway, HelperTables.CreateSettingsOfAllAges(wish), ct) }, ct);
            var made = await TableReader.ReadAsync(gateway, name, ct);
            return new DesiredTable(made.Definition, made.Columns, made.SortingKey);
        }
        finally
        {
            await gateway.ExecuteAsync($"DROP TABLE IF EXISTS {name.ToSql()}", ct: CancellationToken.None);
        }
    }

    // system.tables names the keys of real tables only; for a temporary one they are empty.
    private static string SortingKeyOf(TableDefinition definition)
    {
        var key = SqlText.SplitByComma(SqlText.WithoutBrackets(definition.OrderBy ?? "tuple()"));
        var engine = TableEngine.Parse(definition.Engine);
        if (engine is { Name: "VersionedCollapsingMergeTree", Arguments: [_, var version] } && !key.Contains(version, StringComparer.Ordinal))
        {
            key = [.. key, version];
        }

        return string.Join(", ", key);
    }

    private static string? Clause(string? expression) => expression is null ? null : SqlText.AsOneExpression(expression);

    private static string AsLiteral(string value) =>
        value.StartsWith('\'') || double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out _) || value is "true" or "false"
            ? value
            : Sql.Literal(value);

    private static List<TableElement> Elements(RebuildRequest request, TableDefinition source)
    {
        List<string> problems = [];
        var elements = source.Elements.ToList();
        int Find(string name) => elements.FindIndex(e => e.Kind == "COLUMN" && e.Name == name);
        foreach (var name in request.DropColumns.Select(SqlText.Unquote))
        {
            if (Find(name) is var at and >= 0)
            {
                elements.RemoveAt(at);
            }
            else
            {
                problems.Add($"--drop-column {name}: the table has no such column.");
            }
        }

        foreach (var column in request.ModifyColumns.Select(TableDefinition.ParseElement))
        {
            if (Find(column.Name) is var at and >= 0)
            {
                elements[at] = column;
            }
            else
            {
                problems.Add($"--modify-column {column.Name}: the table has no such column.");
            }
        }

        foreach (var column in request.AddColumns.Select(TableDefinition.ParseElement))
        {
            if (Find(column.Name) >= 0)
            {
                problems.Add($"--add-column {column.Name}: the table already has this column; use --modify-column.");
            }

            var last = elements.FindLastIndex(e => e.Kind == "COLUMN");
            elements.Insert(last + 1, column);
        }

        return problems.Count == 0 ? elements : throw new FormatException(string.Join(Environment.NewLine, problems));
    }
}
