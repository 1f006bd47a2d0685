-- read: read
SELECT d.acronym AS department, c.key AS course, coalesce(a.document, '{}') AS body
FROM courses c JOIN departments d ON d.id = c.department_id
LEFT JOIN auto_assignments a ON a.course_id = c.id
WHERE c.id = :course_id::bigint;

-- write: save
INSERT INTO auto_assignments AS a (course_id, document) VALUES (:course_id::bigint, :document::text)
ON CONFLICT (course_id) DO UPDATE SET document = excluded.document, saved_at = now()
    WHERE a.document <> excluded.document;
