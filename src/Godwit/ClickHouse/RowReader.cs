using System.Runtime.CompilerServices;

namespace Godwit.ClickHouse;

/// <summary>Turns the body of an answer into rows.</summary>
internal static class RowReader
{
    /// <summary>Reads the rows, one at a time.</summary>
    /// <param name="answer">The answer; it stays the caller's.</param>
    /// <param name="statusIsTruth">True when the server sent its status only after the last row.</param>
    /// <param name="ct">Ends the reading.</param>
    public static async IAsyncEnumerable<Row> ReadAsync(
        Answer answer,
        bool statusIsTruth,
        [EnumeratorCancellation] CancellationToken ct)
    {
        if (answer.Format is { } format && format != TabSeparated.Format)
        {
            await answer.DrainAsync();
            throw answer.Failures.Malformed($"it is in the format {format}; a statement that is read as rows must not name a FORMAT");
        }

        var body = new BodyReader(answer, statusIsTruth);
        if (await body.ReadAsync() is not { } names)
        {
            yield break; // a statement without a result
        }

        var shape = RowShape.Create(
            TabSeparated.Split(names),
            TabSeparated.Split(await body.ReadAsync() ?? ""),
            answer.TimeZone) ?? throw answer.Failures.Malformed("its names and types do not match; was a FORMAT named?");
        while (await body.ReadAsync() is { } line)
        {
            ct.ThrowIfCancellationRequested();
            var fields = TabSeparated.Split(line);
            yield return fields.Length == shape.Columns.Count
                ? new Row(shape, fields)
                : throw answer.Failures.Malformed(WrongWidth(line, fields.Length, shape.Columns.Count));
        }
    }

    private static string WrongWidth(string line, int fields, int columns)
        => line.Length == 0
            ? "an empty line stands among the rows; WITH TOTALS and the setting extremes cannot be read here"
            : $"a row has {fields} fields for {columns} columns";
}
