using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>The two sides of a copy, as they are when it begins.</summary>
/// <param name="Columns">The columns of the target that are filled, and the SQL over the source that gives their values.</param>
/// <param name="Kind">What the key is.</param>
/// <param name="KeepsRows">Whether the target keeps every row, so that rows can be counted.</param>
internal sealed partial record CopyShape(IReadOnlyList<(string Target, string Expression)> Columns, KeyKind Kind, bool KeepsRows)
{
    private static readonly CopyShape None = new([], KeyKind.Number, true);

    /// <summary>Looks at both sides.</summary>
    /// <param name="gateway">The server of the target.</param>
    /// <param name="spec">The copy.</param>
    /// <param name="there">The columns of the source and their types.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>The shape, and all that keeps the copy from beginning.</returns>
    public static async Task<(CopyShape Shape, IReadOnlyList<string> Problems)> ReadAsync(
        ClickHouseGateway gateway, CopySpec spec, IReadOnlyDictionary<string, string> there, CancellationToken ct)
    {
        if (await TableReader.FindEngineAsync(gateway, spec.To, ct) is not { } engine || !engine.EndsWith("MergeTree", StringComparison.Ordinal))
        {
            return (None, [$"{spec.To} is not a table of the MergeTree family on {gateway.Name}: rows that were copied could not be deleted again."]);
        }

        var columns = (await TableReader.ReadColumnsAsync(gateway, TableReader.Where(spec.To, "table"), null, ct)).Where(c => c.DefaultKind is "" or "DEFAULT").ToList();
        List<string> problems = [];
        if (there.Count == 0)
        {
            problems.Add($"There is no table {spec.From} to copy from, or no right to see it.");
        }

        var filled = spec.Columns.Count > 0
            ? spec.Columns.Select(c => (c.Key, c.Value)).ToList()
            : columns.Select(c => (c.Name, spec.Source == Service.ClickHouse ? Sql.Identifier(c.Name) : PostgreSqlText.Identifier(c.Name))).ToList();
        problems.AddRange(filled.Where(f => !columns.Exists(c => c.Name == f.Item1)).Select(f => $"{spec.To} has no column {f.Item1} that can be filled."));
        if (spec.Columns.Count == 0 && there.Count > 0)
        {
            problems.AddRange(columns.Where(c => !there.ContainsKey(c.Name)).Select(c => $"{spec.From} has no column {c.Name}: say in columns where its values come from, or which columns are filled."));
        }

        var type = columns.Find(c => c.Name == spec.Key)?.Type;
        problems.AddRange(KeyProblem(spec, type, there) is { } problem ? [problem] : []);
        if (problems.Count == 0 && there.Count > 0)
        {
            problems.AddRange(await CopyTypes.ProblemsAsync(gateway, spec, filled, there, columns.ToDictionary(c => c.Name, c => c.Type, StringComparer.Ordinal), ct));
        }

        return (new CopyShape(filled, Kinds(type), TableEngine.Parse(engine).Folding == RowFolding.None), problems);
    }

    private static KeyKind Kinds(string? type) => type switch
    {
        null => KeyKind.Number,
        _ when Number().IsMatch(type) => KeyKind.Number,
        _ when type.StartsWith("DateTime", StringComparison.Ordinal) => KeyKind.Moment,
        _ => KeyKind.Date,
    };

    /// <summary>The lower 32 bits of a key of ClickHouse, so that sums of them are the same on both sides.</summary>
    public string Bits(string key) => $"bitAnd({Kind switch { KeyKind.Number => $"toInt64({key})", KeyKind.Moment => $"toUnixTimestamp({key})", _ => $"toInt32({key})" }}, 4294967295)";

    private static string? KeyProblem(CopySpec spec, string? type, IReadOnlyDictionary<string, string> there) => type switch
    {
        null => $"{spec.To} has no column {spec.Key}, the key of the copy.",
        _ when Number().IsMatch(type) => null,
        _ when spec.Source == Service.PostgreSql => $"The key {spec.Key} is {type}: from PostgreSQL rows are copied along an integer.",
        _ when !Time().IsMatch(type) => $"The key {spec.Key} is {type}: rows are copied along an integer, a Date or a DateTime.",

        // Otherwise the same text could be another moment on the other side.
        _ when there.GetValueOrDefault(spec.Key) != type || spec.Columns.GetValueOrDefault(spec.Key, spec.Key) != spec.Key =>
            $"The key {spec.Key} is {type} in {spec.To} and must be the same column in {spec.From}, where it is {there.GetValueOrDefault(spec.Key) ?? "missing"}.",
        _ => null,
    };

    [GeneratedRegex("^U?Int(8|16|32|64)$")]
    private static partial Regex Number();

    [GeneratedRegex("^Date(32)?$|^DateTime(\\(.*\\))?$")]
    private static partial Regex Time();
}
