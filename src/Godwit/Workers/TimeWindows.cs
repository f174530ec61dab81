using System.Globalization;

namespace Godwit.Workers;

/// <summary>Times of the day, in UTC, at which a worker may start runs.</summary>
public sealed class TimeWindows
{
    /// <summary>The word for any time.</summary>
    public const string Any = "any";

    private readonly IReadOnlyList<(TimeOnly From, TimeOnly To)> _windows;

    private TimeWindows(IReadOnlyList<(TimeOnly, TimeOnly)> windows) => _windows = windows;

    /// <summary>Reads windows such as <c>22:00-06:00, 12:00-13:00</c>; one that ends before it begins goes over midnight. Nothing and <see cref="Any"/> are any time.</summary>
    /// <exception cref="FormatException">A part is no window.</exception>
    public static TimeWindows Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim() == Any ? "" : text;
        return new TimeWindows(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part =>
            part.Split('-', StringSplitOptions.TrimEntries) is [var from, var to] && TryRead(from, out var begin) && TryRead(to, out var end) && begin != end
                ? (begin, end)
                : throw new FormatException($"'{part}' is not a window of time such as 22:00-06:00.")).ToList());
    }

    /// <summary>Whether a moment lies in one of them.</summary>
    public bool Contain(DateTimeOffset moment)
    {
        var time = TimeOnly.FromTimeSpan(moment.UtcDateTime.TimeOfDay);
        return _windows.Count == 0 || _windows.Any(w => time.IsBetween(w.From, w.To));
    }

    /// <summary>The first moment from this one on that lies in one of them.</summary>
    public DateTimeOffset Next(DateTimeOffset moment)
    {
        if (Contain(moment))
        {
            return moment;
        }

        var day = new DateTimeOffset(moment.UtcDateTime.Date, TimeSpan.Zero);
        return _windows.Min(w => day + w.From.ToTimeSpan() is var today && today > moment ? today : today.AddDays(1));
    }

    private static bool TryRead(string text, out TimeOnly time) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
