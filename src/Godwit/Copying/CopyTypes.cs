using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Copying;

/// <summary>Whether the columns of a target can hold every value that a copy may bring: the server cuts off what does not fit without a word.</summary>
internal static partial class CopyTypes
{
    private static readonly Dictionary<string, int> PostgreSqlBits = new(StringComparer.Ordinal) { ["smallint"] = 16, ["integer"] = 32, ["bigint"] = 64 };

    /// <summary>What does not fit, one sentence each.</summary>
    /// <param name="gateway">The server of the target.</param>
    /// <param name="spec">The copy.</param>
    /// <param name="filled">The columns that are filled, and the SQL over the source that gives their values.</param>
    /// <param name="there">The columns of the source and their types.</param>
    /// <param name="here">Those of the target.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(
        ClickHouseGateway gateway,
        CopySpec spec,
        IReadOnlyList<(string Target, string Expression)> filled,
        IReadOnlyDictionary<string, string> there,
        IReadOnlyDictionary<string, string> here,
        CancellationToken ct)
    {
        if (spec.Source == Service.PostgreSql)
        {
            return filled.Where(f => IsNarrower(there.FirstOrDefault(c => PostgreSqlText.Identifier(c.Key) == f.Expression || c.Key == f.Expression).Value, here[f.Target]))
                .Select(f => Problem(spec, f, "a larger integer", here[f.Target], $"({f.Expression})::{(here[f.Target].Contains("Int8", StringComparison.Ordinal) ? "smallint" : "integer")}")).ToList();
        }

        try
        {
            var types = await gateway.QueryAsync(
                $"DESCRIBE TABLE (SELECT {string.Join(", ", filled.Select((f, i) => $"{f.Expression} AS godwit_{Sql.Literal((long)i)}"))} FROM {spec.From.ToSql()})", ct: ct);
            List<string> problems = [];
            for (var i = 0; i < filled.Count; i++)
            {
                var (from, to) = (types[i]["type"], here[filled[i].Target]);
                if (Plain(from) != Plain(to) && !await HoldsAsync(gateway, Plain(from), Plain(to), ct))
                {
                    problems.Add(Problem(spec, filled[i], from, to, $"CAST({filled[i].Expression}, {Sql.Literal(to)})"));
                }
            }

            return problems;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return [$"The columns of the copy into {spec.To} cannot be read from {spec.From}: {e.ServerMessage}"];
        }
    }

    private static string Problem(CopySpec spec, (string Target, string Expression) filled, string from, string to, string conversion) =>
        $"{filled.Target} of {spec.To} is {to}, which cannot hold every value of {filled.Expression} ({from}): say in columns how they are converted, such as {filled.Target}: {conversion}.";

    /// <summary>Whether one type is wide enough for the values of both.</summary>
    private static async Task<bool> HoldsAsync(ClickHouseGateway gateway, string from, string to, CancellationToken ct)
    {
        try
        {
            return await gateway.ScalarAsync<string>(
                $"SELECT toTypeName(array(defaultValueOfTypeName({Sql.Literal(from)}), defaultValueOfTypeName({Sql.Literal(to)})))", ct: ct) == $"Array({to})";
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            // There is no type for both.
            return false;
        }
    }

    private static bool IsNarrower(string? postgreSql, string clickHouse) =>
        postgreSql is not null && PostgreSqlBits.TryGetValue(postgreSql, out var bits) && Integer().Match(clickHouse) is { Success: true } match && int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) < bits;

    // The same values, kept or shown in another way.
    private static string Plain(string type) => TimeZone().Replace(LowCardinality().Replace(type, "$1"), "");

    [GeneratedRegex(@"^(?:LowCardinality\(|Nullable\()*U?Int(8|16|32|64)\)*$")]
    private static partial Regex Integer();

    [GeneratedRegex(@"LowCardinality\(((?:[^()]|\([^()]*\))*)\)")]
    private static partial Regex LowCardinality();

    [GeneratedRegex(@"(?<=DateTime)\('[^']*'\)|(?<=DateTime64\(\d), '[^']*'")]
    private static partial Regex TimeZone();
}
