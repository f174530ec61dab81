using Godwit.ClickHouse;

namespace Godwit.Inspection;

/// <summary>
/// The statements of a comparison. Each reads both sides at once, and only the columns that it counts by. Servers of all ages must understand them: no
/// window, no WITH, no name used for two things.
/// </summary>
internal sealed class ComparisonSql(ComparedSide a, ComparedSide b, string? where)
{
    private readonly string _where = where is null ? "" : $" WHERE ({where})";

    /// <summary>Whether a side can be read, with the condition or without; reads nothing.</summary>
    public string Try(ComparedSide side, bool isChosen) => $"SELECT 1 AS godwit_one FROM {side.Name.ToSql()}{(isChosen ? _where : "")} LIMIT 0";

    /// <summary>Rows of both sides, and their newest moment.</summary>
    /// <param name="day">The column of moments; null when there is none.</param>
    public string Totals(string? day) =>
        Both(side => $"toInt64(count()) AS godwit_rows, {(day is null ? "NULL" : Newest(day, side))} AS godwit_last FROM {side.Name.ToSql()}{_where}");

    /// <summary>Ids of both sides, counted by groups: unlike a set of all ids these go to disk when they are many.</summary>
    public string Ids(string id)
    {
        var name = Sql.Identifier(id);
        return Both(side =>
            $"toInt64(sum(godwit_ids)) AS godwit_rows, toInt64(countIf(godwit_ids > 0)) AS godwit_unique FROM (SELECT count({name}) AS godwit_ids FROM {side.Name.ToSql()}{_where} GROUP BY {name})");
    }

    /// <summary>Rows by the values of a column.</summary>
    public string By(string column, int limit) => Cut(side => [Comparable(column, side)], limit);

    /// <summary>Rows by the days of a column.</summary>
    public string ByDay(string column, int limit) => Cut(side => [side.Find(column)!.IsMoment ? $"toDate({Sql.Identifier(column)}, 'UTC')" : Sql.Identifier(column)], limit);

    /// <summary>Rows by expressions that both sides can compute.</summary>
    public string ByExpressions(IReadOnlyList<string> expressions, int limit) => Cut(_ => expressions, limit);

    // Moments are compared as texts, which must not hang on the zone that a column is shown in.
    private static string Comparable(string column, ComparedSide side) =>
        side.Find(column)!.IsMoment ? $"toString({Sql.Identifier(column)}, 'UTC')" : Sql.Identifier(column);

    private string Newest(string day, ComparedSide side)
    {
        var name = Sql.Identifier(day);
        return !side.Find(day)!.IsMoment ? $"toString(max({name}))"
            : a.Find(day)!.IsDay || b.Find(day)!.IsDay ? $"toString(toDate(max({name}), 'UTC'))"
            : $"toString(max({name}), 'UTC')";
    }

    private string Both(Func<ComparedSide, string> figures) => $"SELECT 'a' AS godwit_side, {figures(a)} UNION ALL SELECT 'b' AS godwit_side, {figures(b)}";

    /// <summary>
    /// The differences, the largest first, behind one row (godwit_total = 1) that adds up all keys, also those that do not differ: the server keeps
    /// the keys to itself, however many there are.
    /// </summary>
    private string Cut(Func<ComparedSide, IReadOnlyList<string>> keys, int limit) =>
        $"""
         SELECT godwit_total, godwit_is_null, godwit_text, sum(godwit_sum_a) AS godwit_rows_a, sum(godwit_sum_b) AS godwit_rows_b,
             toInt64(count()) AS godwit_keys, toInt64(sum(godwit_sum_a != godwit_sum_b)) AS godwit_differing
         FROM (
             SELECT godwit_sum_a, godwit_sum_b, godwit_total, if(godwit_total = 1, 0, godwit_null) AS godwit_is_null, if(godwit_total = 1, '', godwit_key) AS godwit_text
             FROM (
                 SELECT godwit_null, godwit_key, sum(godwit_a) AS godwit_sum_a, sum(godwit_b) AS godwit_sum_b
                 FROM ({Grouped(a, keys(a), "toInt64(count())", "toInt64(0)")} UNION ALL {Grouped(b, keys(b), "toInt64(0)", "toInt64(count())")})
                 GROUP BY godwit_null, godwit_key)
             ARRAY JOIN if(godwit_sum_a != godwit_sum_b, [0, 1], [1]) AS godwit_total)
         GROUP BY godwit_total, godwit_is_null, godwit_text
         ORDER BY godwit_total DESC, abs(godwit_rows_a - godwit_rows_b) DESC, godwit_is_null, godwit_text LIMIT {Sql.Literal(limit + 1)}
         """;

    private string Grouped(ComparedSide side, IReadOnlyList<string> keys, string countA, string countB)
    {
        var (isNull, text) = keys is [var only]
            ? ($"isNull({only})", $"ifNull(toString({only}), '')")
            : ("toUInt8(0)", $"concat('(', {string.Join(", ', ', ", keys.Select(k => $"ifNull(toString({k}), 'NULL')"))}, ')')");
        return $"SELECT {isNull} AS godwit_null, {text} AS godwit_key, {countA} AS godwit_a, {countB} AS godwit_b FROM {side.Name.ToSql()}{_where} GROUP BY {string.Join(", ", keys)}";
    }
}
