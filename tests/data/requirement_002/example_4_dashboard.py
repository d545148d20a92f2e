def get_dashboard_stats(date):
    """
    Get real-time statistics for dashboard display
    """
    # Query all sessions for today
    response = table.query(
        IndexName='GSI5',
        KeyConditionExpression='GSI5PK = :date',
        ExpressionAttributeValues={
            ':date': f'DATE#{date}'
        }
    )

    sessions = response['Items']

    # Calculate stats
    total_sessions = len(sessions)
    completed_sessions = sum(1 for s in sessions if s['completion_status']['completed'])

    conditions = {}
    for session in sessions:
        condition_code = session['experimental_condition']['condition_code']
        if condition_code not in conditions:
            conditions[condition_code] = 0
        conditions[condition_code] += 1

    locations = {}
    for session in sessions:
        location = session['experimental_condition']['location']
        if location not in locations:
            locations[location] = 0
        locations[location] += 1

    return {
        'date': date,
        'total_sessions': total_sessions,
        'completed_sessions': completed_sessions,
        'completion_rate': (completed_sessions / total_sessions * 100) if total_sessions > 0 else 0,
        'sessions_by_condition': conditions,
        'sessions_by_location': locations
    }

# Example usage
dashboard = get_dashboard_stats('2025-10-23')
print(f"Today's sessions: {dashboard['total_sessions']}")
print(f"Completion rate: {dashboard['completion_rate']:.1f}%")
print(f"By location: {dashboard['sessions_by_location']}")
