using System.Buffers.Text;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using Godwit.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Godwit.Server.Api;

/// <summary>A page of a list.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="Next">The cursor of the next page; null when this is the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Which page is wanted.</summary>
internal sealed record Paging
{
    private const string Version = "1";

    [FromQuery(Name = "limit"), Range(1, 1000), Description("How many items at most; 100 when nothing is said.")]
    public int? Limit { get; init; }

    [FromQuery(Name = "cursor"), Description("The `next` of the page before; nothing for the first page.")]
    public string? Cursor { get; init; }

    /// <summary>How many at most.</summary>
    public int Most => Limit ?? 100;

    /// <summary>A number as a position: one that sorts as it counts.</summary>
    public static string Position(long number) => number.ToString("D19", CultureInfo.InvariantCulture);

    /// <summary>A position of a list that begins with the greatest.</summary>
    public static string Downwards(long number) => Position(long.MaxValue - number);

    /// <summary>A page of a list that is at hand.</summary>
    /// <param name="list">The list's name: a cursor is good for the list that gave it.</param>
    /// <param name="all">The list.</param>
    /// <param name="position">Where something stands in it: texts that sort as the list does, each of them once. What comes or goes moves nobody else.</param>
    public Page<T> Of<T>(string list, IEnumerable<T> all, Func<T, string> position)
    {
        var after = After(list);
        var rest = all.Select(item => (Item: item, At: position(item))).OrderBy(i => i.At, StringComparer.Ordinal)
            .Where(i => after is null || string.CompareOrdinal(i.At, after) > 0).Select(i => i.Item).Take(Most + 1).ToList();
        return Cut(list, rest, position);
    }

    /// <summary>A page of what was read with one more than <see cref="Most"/>, to see whether there is another page.</summary>
    public Page<T> Cut<T>(string list, IReadOnlyList<T> read, Func<T, string> position) =>
        read.Count <= Most ? new Page<T>(read, null) : new Page<T>([.. read.Take(Most)], Write(list, position(read[Most - 1])));

    /// <summary>The number after which the page begins; null for the first page.</summary>
    /// <exception cref="InvalidRequestException">The cursor is not one of this list.</exception>
    public long? NumberAfter(string list) => After(list) is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Foreign();

    private static string Write(string list, string position) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{Version} {list} {position}"));

    private static InvalidRequestException Foreign() => new(["cursor: this is none that this list gave; leave it out to begin with the first page."]);

    private string? After(string list)
    {
        if (Cursor is null)
        {
            return null;
        }

        if (!Base64Url.IsValid(Cursor))
        {
            throw Foreign();
        }

        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Cursor)).Split(' ', 3) is [Version, var of, var position] && of == list ? position : throw Foreign();
    }
}
